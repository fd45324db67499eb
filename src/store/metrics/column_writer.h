// Turns the columns of series into chunks of a block: finds time columns that were there before,
// columns of the same bits, and buckets of one histogram, whose columns are coded against the next
// lower one. One thread. Format: docs/formats/block.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "store/metrics/column_pages.h"
#include "store/metrics/index_builder.h"

namespace binnacle::store::metrics {

class ColumnWriter {
 public:
  // `seed` is one that nobody can foresee who chooses samples.
  ColumnWriter(ColumnPagesWriter& pages, IndexBuilder& index, uint64_t seed);
  ~ColumnWriter();

  // Holds the series back while those that follow may be buckets of the same histogram.
  Status add(model::LabelsView labels, std::span<const int64_t> times_ms,
             std::span<const double> values);
  Status flush();

 private:
  struct Hash {
    uint64_t low = 0, high = 0;
    friend bool operator==(const Hash&, const Hash&) = default;
  };
  struct HashOfHash {
    size_t operator()(const Hash& hash) const { return hash.low; }
  };
  struct Seen {  // a value column that another may be the same as
    Hash hash;
    uint32_t series = 0;
    uint32_t chunk = 0;
    uint32_t depth = 0;
    bool used = false;
  };
  struct Held;

  Hash hash_of(const void* bytes, size_t size) const;
  Result<uint32_t> time_column(std::span<const int64_t> times_ms);
  bool joins(const Held& held) const;
  void encode(uint32_t first_series, size_t at, const Held* lower, size_t lower_at);
  void encode_chunk(Held& held, size_t chunk, uint32_t series, const Held* lower,
                    uint32_t lower_series);

  ColumnPagesWriter& pages_;
  IndexBuilder& index_;
  const uint64_t seed_;
  std::unordered_map<Hash, uint32_t, HashOfHash> time_columns_;
  std::vector<Seen> seen_;  // by hash, the newer one stays
  std::vector<Held> held_;
  size_t held_samples_ = 0;
};

}  // namespace binnacle::store::metrics
