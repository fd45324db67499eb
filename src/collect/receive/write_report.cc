#include "collect/receive/write_report.h"

#include <fmt/format.h>

#include <iterator>

#include "base/check.h"

namespace binnacle::collect::receive {
namespace {

constexpr std::array<std::string_view, kRefusedReasons> kNames = {
    "no_metric_name",  "empty_label_name",         "duplicate_label",      "invalid_utf8",
    "too_many_labels", "label_name_too_long",      "label_value_too_long", "native_histogram",
    "out_of_bounds",   "other_value_at_that_time", "series_limit",         "series_refused",
};

}  // namespace

std::string_view reason_name(Refused reason) { return kNames[static_cast<size_t>(reason)]; }

Refused reason_of(LabelVerdict verdict) {
  switch (verdict) {
    case LabelVerdict::kNoMetricName:
      return Refused::kNoMetricName;
    case LabelVerdict::kEmptyName:
      return Refused::kEmptyLabelName;
    case LabelVerdict::kDuplicate:
      return Refused::kDuplicateLabel;
    case LabelVerdict::kInvalidUtf8:
      return Refused::kInvalidUtf8;
    case LabelVerdict::kTooMany:
      return Refused::kTooManyLabels;
    case LabelVerdict::kNameTooLong:
      return Refused::kLabelNameTooLong;
    case LabelVerdict::kValueTooLong:
      return Refused::kLabelValueTooLong;
    case LabelVerdict::kGood:
    case LabelVerdict::kMalformed:
      break;
  }
  CHECK(false && "not a verdict on one series");
  return Refused::kSeriesRefused;
}

Refused reason_of(Code code) {
  switch (code) {
    case Code::kOutOfRange:
      return Refused::kOutOfBounds;
    case Code::kAlreadyExists:
      return Refused::kOtherValue;
    case Code::kResourceExhausted:
      return Refused::kSeriesLimit;
    default:
      return Refused::kSeriesRefused;
  }
}

void WriteReport::refuse(Refused reason, size_t count, std::string line) {
  if (names_more()) {
    lines_.push_back(std::move(line));
    named_ += count;
  }
  counts_[static_cast<size_t>(reason)] += count;
  total_ += count;
}

std::string WriteReport::text(size_t stored) const {
  std::string out =
      fmt::format("remote write: {} of {} samples refused (", total_, total_ + stored);
  bool first = true;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    fmt::format_to(std::back_inserter(out), "{}{}: {}", first ? "" : ", ", kNames[i], counts_[i]);
    first = false;
  }
  fmt::format_to(std::back_inserter(out), "); {} stored\n", stored);
  for (const std::string& line : lines_) out += line + "\n";
  if (total_ > named_) fmt::format_to(std::back_inserter(out), "and {} more\n", total_ - named_);
  return out;
}

}  // namespace binnacle::collect::receive
