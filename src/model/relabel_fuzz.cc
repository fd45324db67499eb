// Rules of a hostile file on labels of a hostile target: a map of `relabel_configs` and `labels`.
// Rules are refused with a place, or make the same good label set of the same labels each time,
// within the bound, or drop it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "model/relabel_yaml.h"

namespace {

using namespace binnacle;         // NOLINT(google-build-using-namespace): a program of one file
using namespace binnacle::model;  // NOLINT(google-build-using-namespace)

constexpr size_t kMaxBytes = size_t{1} << 14;

Labels read_labels(YamlMap& map) {
  YamlPairs pairs;
  map.read("labels", pairs);
  LabelsBuilder builder;
  for (const auto& [name, value] : pairs) {
    if (!name.empty()) builder.set(name, value);
  }
  return builder.build();
}

void check(const Labels& labels) {
  std::string before;
  for (const Label& label : labels) {
    CHECK(label.name > before && !label.value.empty());
    CHECK(is_valid_utf8(label.name) && is_valid_utf8(label.value));
    CHECK(std::max(label.name.size(), label.value.size()) <= kMaxRelabelledBytes);
    before = label.name;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxBytes) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  YamlDocument document("f", text);
  YamlMap map(document.root());
  const Labels labels = read_labels(map);
  std::vector<RelabelRule> rules;
  if (const auto list = map.field("relabel_configs")) rules = read_relabel_rules(*list);
  map.finish();
  if (const Status status = document.status(); !status) {
    CHECK(status.error().code == Code::kInvalidArgument);
    CHECK(status.error().message.starts_with("f"));
  }
  const auto made = relabel(rules, labels);
  CHECK(relabel(rules, labels) == made);
  if (made) check(*made);
  return 0;
}
