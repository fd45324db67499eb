// Reads the chunks of a block's series, through the links between columns. What neighbours share
// stays in the reader: their times, and what links led to, so that reading all buckets of a
// histogram decodes each once. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "store/metrics/block_index.h"
#include "store/metrics/column_codec.h"
#include "store/metrics/column_pages.h"

namespace binnacle::store::metrics {

class ColumnReader {
 public:
  // Both outlive this.
  ColumnReader(const BlockIndex& index, const ColumnPages& pages) : index_(index), pages_(pages) {
    linked_keys_.fill(UINT64_MAX);
  }

  // From now on any number may stand for a number, which then need not be decoded.
  void allow_any_number() { any_number_ = true; }
  // Samples of a series with min_ms <= time <= max_ms; what `out` views holds until the next call.
  struct Samples {
    std::span<const int64_t> times_ms;
    std::span<const double> values;
    uint64_t times_id = 0;  // equal for the same times, not 0
  };
  Status read(uint32_t series, int64_t min_ms, int64_t max_ms, Samples& out);

 private:
  using Times = std::shared_ptr<const std::vector<int64_t>>;
  // A chunk of which some samples lie in the range.
  struct Part {
    uint32_t chunk = 0;
    uint32_t samples = 0;  // of the whole chunk
    uint32_t first = 0;    // of them that lie in the range
    uint32_t count = 0;
  };

  Status find_parts(std::span<const ChunkRecord> chunks, int64_t min_ms, int64_t max_ms);
  bool same_parts(std::span<const ChunkRecord> chunks, int64_t min_ms, int64_t max_ms) const;
  // Whether the values of a chunk, which are all numbers then, need not be decoded.
  Result<bool> any_will_do(ChunkRecord record, uint32_t chunk) const;
  Status read_values(uint32_t series, const Part& part, std::span<const double>& out);
  Result<Times> times(uint32_t number, const TimeColumnRecord& record) const;
  struct Linked {
    std::vector<double> values;
    ColumnIntegers integers;
  };
  // `steps`: how many links led here. What they return holds until kLinked others are decoded.
  Result<const Linked*> values(uint32_t series, uint32_t chunk, uint32_t samples, uint32_t steps);
  Result<const Linked*> linked(const ChunkRecord& record, uint32_t chunk, uint32_t samples,
                               uint32_t steps);

  const BlockIndex& index_;
  const ColumnPages& pages_;
  bool any_number_ = false;

  // Of the series read last.
  uint32_t page_number_ = UINT32_MAX;
  std::shared_ptr<const SeriesPage> page_;
  int64_t min_ms_ = 0;
  int64_t max_ms_ = 0;
  std::vector<uint32_t> time_columns_;  // of all its chunks
  std::vector<Part> parts_;
  std::vector<Times> times_;  // by part
  uint64_t times_id_ = 0;
  std::vector<int64_t> joined_times_;  // where there are several parts
  std::vector<double> joined_values_;
  std::vector<double> column_;  // decoded last, of those without a link
  std::vector<double> zeros_;   // where any number will do

  // Columns that have a link or were read for one, the oldest overwritten first. Enough for all
  // buckets of a histogram in some chunks; 8 MiB at most.
  static constexpr size_t kLinked = 128;
  static_assert(kLinked > kMaxLinkSteps);
  std::array<uint64_t, kLinked> linked_keys_;  // UINT64_MAX: none
  std::array<Linked, kLinked> linked_;
  size_t next_linked_ = 0;
};

}  // namespace binnacle::store::metrics
