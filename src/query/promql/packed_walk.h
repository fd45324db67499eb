// Walks the packed bytes of a label set (model/labels.h) without a call for each label: grouping
// and matching do this for every row. The bytes are our own work, so a broken one is a bug.
#pragma once

#include <string_view>

#include "base/check.h"
#include "model/labels.h"

namespace binnacle::query::promql {

class PackedWalk {
 public:
  explicit PackedWalk(model::LabelsView labels)
      : at_(labels.packed().data()), end_(at_ + labels.packed().size()) {}

  bool next() {
    if (at_ == end_) return false;
    start_ = at_;
    name_ = take();
    take();
    return true;
  }
  std::string_view name() const { return name_; }
  // The label as it is packed, name and value.
  std::string_view bytes() const { return {start_, static_cast<size_t>(at_ - start_)}; }

 private:
  std::string_view take() {
    size_t size = 0;
    for (int shift = 0;; shift += 7) {
      CHECK(at_ < end_ && shift <= 28);
      const auto byte = static_cast<uint8_t>(*at_++);
      size |= static_cast<size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    CHECK(static_cast<size_t>(end_ - at_) >= size);
    const std::string_view out(at_, size);
    at_ += size;
    return out;
  }

  const char* at_;
  const char* const end_;
  const char* start_ = nullptr;
  std::string_view name_;
};

}  // namespace binnacle::query::promql
