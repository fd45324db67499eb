// Reads the chunks of a block's series, through the links between columns. What a link led to stays
// in the thread's ReadCache, so that reading all buckets of a histogram decodes each once. Any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "store/metrics/block_index.h"
#include "store/metrics/column_pages.h"

namespace binnacle::store::metrics {

class ColumnReader {
 public:
  // Both outlive this.
  ColumnReader(const BlockIndex& index, const ColumnPages& pages) : index_(index), pages_(pages) {}

  // Appends the samples of a series with min_ms <= time <= max_ms.
  Status read(uint32_t series, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
              std::vector<double>& out) const;

 private:
  using Times = std::shared_ptr<const std::vector<int64_t>>;
  using Values = std::shared_ptr<const std::vector<double>>;
  Result<Times> times(uint32_t number, const TimeColumnRecord& record) const;
  // `steps`: how many links led here.
  Result<Values> values(uint32_t series, uint32_t chunk, uint32_t samples, uint32_t steps) const;
  Result<Values> linked(const ChunkRecord& record, uint32_t chunk, uint32_t samples,
                        uint32_t steps) const;

  const BlockIndex& index_;
  const ColumnPages& pages_;
};

}  // namespace binnacle::store::metrics
