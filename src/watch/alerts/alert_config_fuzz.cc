// A hostile alertmanager.yml: whatever is taken has receivers for all its routes and no zero
// intervals, and its text without secrets says the same routes when it is read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/fault_file_system.h"
#include "watch/alerts/alert_config.h"
#include "watch/alerts/inhibitor.h"
#include "watch/alerts/route_yaml.h"

namespace {

using namespace binnacle;
using namespace binnacle::watch::alerts;

std::string ids_of(const AlertConfig& config) {
  std::string out;
  visit_routes(config.route, [&](const Route& route) {
    CHECK(config.receivers.contains(route.receiver));
    CHECK(route.group_interval_ms > 0 && route.repeat_interval_ms > 0);
    out += route.id + '\n';
  });
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FaultFileSystem files;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = read_alert_config(text, "/etc", files);
  if (!config) {
    CHECK(config.error().code == Code::kInvalidArgument && !config.error().message.empty());
    return 0;
  }
  const std::string ids = ids_of(**config);
  const model::Labels alert{{"alertname", "a"}, {"team", "a"}};
  CHECK(!routes_of((*config)->route, alert).empty());
  Inhibitor inhibitor((*config)->inhibit_rules);
  inhibitor.set(1, alert, 0);
  CHECK(!inhibitor.inhibited_by(alert, 0));
  const auto again = read_alert_config((*config)->original, "/etc", files);
  CHECK(again);
  CHECK(ids_of(**again) == ids);
  CHECK((*again)->original == (*config)->original);
  return 0;
}
