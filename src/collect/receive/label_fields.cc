#include "collect/receive/label_fields.h"

#include <algorithm>
#include <exception>

#include "base/utf8.h"
#include "collect/receive/protobuf_fields.h"

namespace binnacle::collect::receive {
namespace {

using protozero::pbf_reader;

enum : uint32_t { kNameField = 1, kValueField = 2 };

constexpr size_t kMaxShownLabels = 16;
constexpr size_t kMaxShownBytes = 64;

model::Label read_label(pbf_reader fields) {
  model::Label label;
  while (fields.next()) {
    switch (fields.tag()) {
      case kNameField:
        label.name = view_of(fields);
        break;
      case kValueField:
        label.value = view_of(fields);
        break;
      default:
        fields.skip();
    }
  }
  return label;
}

bool by_name(const model::Label& a, const model::Label& b) { return a.name < b.name; }

std::string shown(std::string_view text) {
  if (text.size() <= kMaxShownBytes) return to_valid_utf8(text);
  return to_valid_utf8(text.substr(0, kMaxShownBytes)) + "...";
}

}  // namespace

bool LabelFields::parse(std::string_view label_bytes) {
  labels_.clear();
  try {
    pbf_reader fields = reader_of(label_bytes);
    while (fields.next()) labels_.push_back(read_label(reader_of(view_of(fields))));
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

LabelVerdict LabelFields::check(const LabelLimits& limits) const {
  bool has_metric_name = false;
  for (size_t i = 0; i < labels_.size(); ++i) {
    const auto& [name, value] = labels_[i];
    if (name.empty()) return LabelVerdict::kEmptyName;
    if (i > 0 && name == labels_[i - 1].name) return LabelVerdict::kDuplicate;
    if (name.size() > limits.max_name_bytes) return LabelVerdict::kNameTooLong;
    if (value.size() > limits.max_value_bytes) return LabelVerdict::kValueTooLong;
    if (!is_valid_utf8(name) || !is_valid_utf8(value)) return LabelVerdict::kInvalidUtf8;
    has_metric_name = has_metric_name || (name == model::kMetricName && !value.empty());
  }
  if (!has_metric_name) return LabelVerdict::kNoMetricName;
  return labels_.size() <= limits.max_count ? LabelVerdict::kGood : LabelVerdict::kTooMany;
}

LabelVerdict LabelFields::read(std::string_view label_bytes, const LabelLimits& limits) {
  if (!parse(label_bytes)) return LabelVerdict::kMalformed;
  if (!std::is_sorted(labels_.begin(), labels_.end(), by_name))
    std::sort(labels_.begin(), labels_.end(), by_name);
  const LabelVerdict verdict = check(limits);
  if (verdict != LabelVerdict::kGood) return verdict;
  packed_.clear();
  for (const auto& [name, value] : labels_) {
    if (!value.empty()) model::append_packed_label(packed_, name, value);
  }
  return LabelVerdict::kGood;
}

std::string LabelFields::describe() const {
  model::LabelsBuilder builder;
  size_t count = 0;
  for (const auto& [name, value] : labels_) {
    if (count++ == kMaxShownLabels) break;
    if (!name.empty()) builder.set(shown(name), shown(value));
  }
  const std::string text = builder.build().view().to_string();
  return labels_.size() > kMaxShownLabels ? text + "..." : text;
}

}  // namespace binnacle::collect::receive
