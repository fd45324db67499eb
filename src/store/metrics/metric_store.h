// The metric store: head, log, snapshots and blocks put together behind the seams of model/. What
// commit() acknowledged survives kill -9; with the log's sync it survives a power cut. One folder,
// one process. Any thread. Formats: docs/formats/{wal,head,chunk,block}.md.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "model/appender.h"
#include "model/querier.h"
#include "store/metrics/block_meta.h"
#include "store/metrics/metadata_table.h"
#include "store/metrics/store_limits.h"
#include "store/metrics/store_options.h"

namespace binnacle::store::metrics {

// How far a start has come, and the way to call it off; from any thread while open() runs.
struct StoreProgress {
  std::atomic<bool> cancelled = false;    // open() then ends soon, with kCancelled
  std::atomic<uint64_t> done_bytes = 0;   // of the log
  std::atomic<uint64_t> total_bytes = 0;  // 0: not known yet
};

struct StoreStatus {
  size_t series = 0;
  size_t chunks = 0;      // of the head
  int64_t oldest_ms = 0;  // of the head
  int64_t newest_ms = 0;
  uint64_t head_bytes = 0;  // memory
  uint64_t wal_bytes = 0;
  uint64_t block_bytes = 0;
  size_t blocks = 0;
  uint64_t replayed_samples = 0;  // at the last start
  double replay_seconds = 0;
};

// "name" is a metric, a label or label=value; largest count first.
struct StoreCardinality {
  std::string name;
  uint64_t count = 0;
};
struct StoreCardinalities {
  uint64_t label_pairs = 0;
  std::vector<StoreCardinality> series_by_metric;
  std::vector<StoreCardinality> values_by_label;
  std::vector<StoreCardinality> bytes_by_label;
  std::vector<StoreCardinality> series_by_pair;
};

class MetricStore final : public model::Appendable, public model::Queryable {
 public:
  // Loads what `folder` holds, replaying the log. kAlreadyExists: another process has it;
  // kCancelled: called off, and nothing is lost. Registers binnacle_store_*.
  static Result<std::unique_ptr<MetricStore>> open(std::string folder, StoreOptions options,
                                                   FileSystem& files, const Clock& clock,
                                                   Random& random, Registry& registry,
                                                   StoreProgress* progress = nullptr);
  ~MetricStore() override;  // stop()

  void start();  // the threads that sync, cut blocks, compact and keep to the retention
  void stop();   // a snapshot at the end, so that the next start is quick

  std::unique_ptr<model::Appender> appender() override;
  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override;

  // The labels of a series by its ref, appended to `packed`; false when it is forgotten.
  bool append_labels(model::SeriesRef ref, std::string& packed) const;

  // Deletes the samples of the series that match; one set of matchers.
  Status delete_series(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms);
  // Writes anew each block that has deletions, so that the bytes of what is deleted go.
  Status clean_tombstones();
  // Cuts everything older than `cut_ms` into blocks, then merges what the plan says.
  Status flush(int64_t cut_ms);
  // Hard links of all blocks and of a snapshot of the head under `to`, which must not be there.
  Status backup(const std::string& to);

  Status writable() const;  // why commits are refused
  StoreStatus status() const;
  int64_t oldest_ms() const;  // no sample is older, in head or blocks; INT64_MAX: there is none
  StoreCardinalities cardinalities(size_t limit) const;
  std::vector<BlockMeta> blocks() const;  // of raw samples, oldest first
  MetadataTable::Entries metadata() const;
  void set_options(const StoreOptions& options);  // what is live of them
  // One round of what the threads do: for tests, which own the time.
  void upkeep_once();

 private:
  class Batch;
  class View;
  struct Parts;
  explicit MetricStore(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::store::metrics
