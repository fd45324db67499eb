// Reads the chunks of a block's series, through the links between columns. What a link led to stays
// in the thread's ReadCache, so that reading all buckets of a histogram decodes each once; what
// neighbours share, as their times, stays in the reader. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "store/metrics/block_index.h"
#include "store/metrics/column_pages.h"

namespace binnacle::store::metrics {

class ColumnReader {
 public:
  // Both outlive this.
  ColumnReader(const BlockIndex& index, const ColumnPages& pages) : index_(index), pages_(pages) {}

  // Samples of a series with min_ms <= time <= max_ms; what `out` views holds until the next call.
  struct Samples {
    std::span<const int64_t> times_ms;
    std::span<const double> values;
    uint64_t times_id = 0;  // equal for the same times, not 0
  };
  Status read(uint32_t series, int64_t min_ms, int64_t max_ms, Samples& out);

 private:
  using Times = std::shared_ptr<const std::vector<int64_t>>;
  using Values = std::shared_ptr<const std::vector<double>>;
  // A chunk of which some samples lie in the range.
  struct Part {
    uint32_t chunk = 0;
    uint32_t samples = 0;  // of the whole chunk
    uint32_t first = 0;    // of them that lie in the range
    uint32_t count = 0;
  };

  Status find_parts(std::span<const ChunkRecord> chunks, int64_t min_ms, int64_t max_ms);
  bool same_parts(std::span<const ChunkRecord> chunks, int64_t min_ms, int64_t max_ms) const;
  Status read_values(uint32_t series, const Part& part, std::span<const double>& out);
  Result<Times> times(uint32_t number, const TimeColumnRecord& record) const;
  // `steps`: how many links led here.
  Result<Values> values(uint32_t series, uint32_t chunk, uint32_t samples, uint32_t steps) const;
  Result<Values> linked(const ChunkRecord& record, uint32_t chunk, uint32_t samples,
                        uint32_t steps) const;

  const BlockIndex& index_;
  const ColumnPages& pages_;

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
  std::vector<double> column_;  // decoded last
  Values shared_;               // or this
};

}  // namespace binnacle::store::metrics
