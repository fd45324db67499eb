// What a hostile pusher sends, as text, OpenMetrics, protobuf, path and file. Whatever goes in: a
// group that is taken has good labels, and its file reads back as the same group.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "collect/receive/push_group.h"
#include "collect/receive/push_json.h"
#include "collect/receive/push_text.h"

namespace {

using namespace binnacle;
using namespace binnacle::collect::receive;
namespace exposition = binnacle::collect::exposition;

constexpr size_t kMaxBytes = size_t{1} << 14;

void check_same(const PushGroup& a, const PushGroup& b) {
  CHECK(a.key == b.key && a.families.size() == b.families.size());
  for (auto of_a = a.families.begin(), of_b = b.families.begin(); of_a != a.families.end();
       ++of_a, ++of_b) {
    CHECK(of_a->first == of_b->first);
    CHECK(of_a->second.series.size() == of_b->second.series.size());
    for (size_t i = 0; i < of_a->second.series.size(); ++i) {
      const PushedSeries& in_a = of_a->second.series[i];
      const PushedSeries& in_b = of_b->second.series[i];
      CHECK(in_a.labels == in_b.labels);
      CHECK(in_a.value == in_b.value || (in_a.value != in_a.value && in_b.value != in_b.value));
    }
  }
}

void take(const model::Labels& key, std::string_view body, exposition::Format format) {
  auto families = read_push(body, format, key, {});
  if (!families) return;
  PushGroup group{.key = key, .families = *std::move(families), .pushed_ms = 7, .ttl_ms = 9};
  for (const auto& [name, family] : group.families) {
    for (const PushedSeries& series : family.series) {
      CHECK(!series.labels.metric_name().empty() && series.labels.get("job") == key.get("job"));
      for (const model::Label& label : series.labels)
        CHECK(is_valid_utf8(label.name) && is_valid_utf8(label.value));
    }
  }
  const auto again = read_push_file(write_push_file(group));
  CHECK(again.has_value());
  check_same(group, *again);
  std::string json;
  append_push_json(json, group);
  CHECK(is_valid_utf8(json));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxBytes) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const model::Labels key = {{"job", "j"}, {"zone", "z\n\"\\"}};
  take(key, body, exposition::Format::kText);
  take(key, body, exposition::Format::kOpenMetrics);
  if (const auto text = push_text_of_protobuf(body, kMaxBytes * 4))
    take(key, *text, exposition::Format::kText);
  if (const auto labels = push_key_of(body)) {
    for (const model::Label& label : *labels)
      CHECK(is_valid_utf8(label.name) && is_valid_utf8(label.value));
  }
  (void)read_push_file(body);
  return 0;
}
