// Writes the labels of a block's series, one series after the other: what a series has in common
// with the one before stays as it is, and a page of label values that was packed is held, by the
// thread's cache as well. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "store/metrics/block_index.h"

namespace binnacle::store::metrics {

class LabelReader {
 public:
  explicit LabelReader(const BlockIndex& index);  // outlives this

  // From now on only these labels.
  void keep_only(std::span<const std::string> names);
  // What `out` views holds until the next call.
  Status read(uint32_t series, model::LabelsView& out);

 private:
  // Pairs [begin, end) are wanted.
  struct Range {
    uint32_t begin = 0;
    uint32_t end = 0;
  };
  // The pairs of a page of values, each packed as a label.
  struct PackedPage {
    std::string text;
    std::vector<uint32_t> ends;
    std::vector<uint32_t> names;  // by pair, to tell one name from the next
    std::string_view at(size_t i) const;
    size_t memory_bytes() const { return text.size() + (ends.size() + names.size()) * 4; }
  };

  void choose(std::span<const uint32_t> pairs);
  Status append(uint32_t pair, uint32_t series);
  Result<const PackedPage*> packed(size_t index);
  Result<std::shared_ptr<const PackedPage>> pack(size_t index) const;

  const BlockIndex& index_;
  std::vector<Range> wanted_;  // ascending
  std::vector<std::shared_ptr<const PackedPage>> pages_;
  size_t held_ = 0;  // pages that are there

  // Of the series read last.
  uint32_t page_number_ = UINT32_MAX;
  std::shared_ptr<const SeriesPage> page_;
  std::vector<uint32_t> pairs_;
  std::vector<uint32_t> ends_;   // by pair, in `text_`
  std::vector<uint32_t> names_;  // by pair
  std::vector<uint32_t> next_;   // pairs of the series that is read
  std::string text_;
};

}  // namespace binnacle::store::metrics
