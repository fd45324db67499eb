// What was refused of one body, and the words for it: counts for each reason, the first ten by
// name. The first line holds the sums, because senders log that line alone. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "collect/receive/label_fields.h"

namespace binnacle::collect::receive {

enum class Refused : uint8_t {
  kNoMetricName,
  kEmptyLabelName,
  kDuplicateLabel,
  kInvalidUtf8,
  kTooManyLabels,
  kLabelNameTooLong,
  kLabelValueTooLong,
  kNativeHistogram,
  kOutOfBounds,
  kOtherValue,
  kSeriesLimit,
  kSeriesRefused,
};
inline constexpr size_t kRefusedReasons = 12;
std::string_view reason_name(Refused reason);  // "no_metric_name"

Refused reason_of(LabelVerdict verdict);  // not of kGood and kMalformed, which refuse no series
Refused reason_of(Code code);             // of a sample or series that the store refused

class WriteReport {
 public:
  // Whether the next refusal still gets a line of its own; else no text need be made.
  bool names_more() const { return lines_.size() < kNamed; }
  void refuse(Refused reason, size_t count, std::string line);

  size_t refused() const { return total_; }
  size_t refused(Refused reason) const { return counts_[static_cast<size_t>(reason)]; }
  std::string text(size_t stored) const;

 private:
  static constexpr size_t kNamed = 10;
  size_t total_ = 0;
  size_t named_ = 0;  // samples that the lines stand for
  std::array<size_t, kRefusedReasons> counts_{};
  std::vector<std::string> lines_;
};

}  // namespace binnacle::collect::receive
