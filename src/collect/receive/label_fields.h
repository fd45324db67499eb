// The label fields of a TimeSeries, checked and packed: what a series costs when it is not known
// yet. One object is used for series after series and keeps its memory. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/labels.h"

namespace binnacle::collect::receive {

struct LabelLimits {
  size_t max_count = 64;
  size_t max_name_bytes = 512;
  size_t max_value_bytes = 4096;
};

enum class LabelVerdict : uint8_t {
  kGood,
  kMalformed,  // not protobuf: the whole body is refused, not this series
  kNoMetricName,
  kEmptyName,
  kDuplicate,
  kInvalidUtf8,
  kTooMany,
  kNameTooLong,
  kValueTooLong,
};

class LabelFields {
 public:
  // Sorts what is not sorted and leaves out labels without a value, as they stand for absent ones.
  LabelVerdict read(std::string_view label_bytes, const LabelLimits& limits);

  // After kGood; holds until the next read().
  model::LabelsView labels() const { return model::LabelsView(packed_); }
  // After any verdict, while the bytes that were read stay: the series as far as it can be shown,
  // in valid UTF-8 and not long.
  std::string describe() const;

 private:
  bool parse(std::string_view label_bytes);
  LabelVerdict check(const LabelLimits& limits) const;

  std::vector<model::Label> labels_;
  std::string packed_;
};

}  // namespace binnacle::collect::receive
