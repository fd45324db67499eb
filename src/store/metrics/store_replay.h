// Brings a head back from the log: series as they come, samples in large pieces by several threads,
// each for its own shards. Used by one thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/metrics/head.h"
#include "store/metrics/metadata_table.h"
#include "store/metrics/wal.h"

namespace binnacle::store::metrics {

class StoreReplay {
 public:
  StoreReplay(Head& head, MetadataTable& metadata, size_t threads);

  Status take(WalRecordType type, std::string_view payload);
  void finish();  // after the last record

  uint64_t samples() const { return samples_; }
  uint64_t lost() const { return lost_; }  // samples whose series no record named

 private:
  Status take_samples(std::string_view payload);
  void apply();

  Head& head_;
  MetadataTable& metadata_;
  std::vector<std::vector<WalSample>> waiting_;  // one for each thread
  size_t waiting_count_ = 0;
  std::vector<WalSample> decoded_;
  uint64_t samples_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace binnacle::store::metrics
