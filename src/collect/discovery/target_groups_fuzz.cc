// Target groups of a hostile server or file, as JSON and as YAML: whatever comes out has an address
// for each target, is UTF-8, and is the same when it is read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "collect/discovery/refresh_source.h"
#include "collect/discovery/source_config_yaml.h"
#include "collect/discovery/target_groups.h"

namespace {

using namespace binnacle;
using namespace binnacle::collect::discovery;

void check(const std::vector<model::TargetGroup>& groups) {
  for (size_t i = 0; i < groups.size(); ++i) {
    CHECK(groups[i].source == "f:" + std::to_string(i));
    for (const auto& target : groups[i].targets) CHECK(is_valid_utf8(target.get("__address__")));
    for (const auto& label : groups[i].labels) {
      CHECK(!label.name.empty() && is_valid_utf8(label.name) && is_valid_utf8(label.value));
    }
  }
}

void take_json(std::string_view text) {
  auto groups = parse_target_groups(text, "f");
  if (!groups) {
    CHECK(groups.error().code == Code::kInvalidArgument && !groups.error().message.empty());
    return;
  }
  check(*groups);
  GroupChanges changes;
  CHECK(changes.since_last(*groups).size() == groups->size());
  CHECK(changes.since_last(*groups).empty());
}

void take_yaml(std::string_view text) {
  YamlDocument document("f", text);
  const auto groups = read_target_groups(document.root(), "f");
  if (document.status()) check(groups);
  // The same bytes as the map of a job.
  YamlDocument job("f", text);
  YamlMap map(job.root());
  for (const SourceConfig& source : read_sources(map)) CHECK(!source.key.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  take_json(text);
  take_yaml(text);
  return 0;
}
