#include "store/metrics/store_replay.h"

#include <atomic>
#include <thread>

#include "base/kill_points.h"
#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kSamplesAtOnce = 512 * 1024;

}  // namespace

StoreReplay::StoreReplay(Head& head, MetadataTable& metadata, size_t threads)
    : head_(head), metadata_(metadata), waiting_(threads) {}

Status StoreReplay::take(WalRecordType type, std::string_view payload) {
  switch (type) {
    case kWalSamples:
      return take_samples(payload);
    case kWalSeries: {
      std::vector<WalSeries> series;
      TRY(decode_series(payload, series));
      for (const WalSeries& one : series)
        TRY(head_.restore_series(one.series, model::LabelsView(one.labels)));
      return {};
    }
    case kWalMetadata:
      return metadata_.restore(payload);
    case kWalTombstones: {
      apply();
      std::vector<WalTombstone> tombstones;
      TRY(decode_tombstones(payload, tombstones));
      for (const WalTombstone& one : tombstones) head_.erase(one.series, one.min_ms, one.max_ms);
      return {};
    }
    default:
      return {};  // of a later version: counted by nobody, harmless to leave out
  }
}

Status StoreReplay::take_samples(std::string_view payload) {
  kill_point("replay");
  TRY(decode_samples(payload, decoded_));
  for (const WalSample& sample : decoded_) {
    const uint32_t shard = static_cast<uint32_t>(sample.series) % Head::kShards;
    waiting_[shard % waiting_.size()].push_back(sample);
  }
  samples_ += decoded_.size();
  waiting_count_ += decoded_.size();
  if (waiting_count_ >= kSamplesAtOnce) apply();
  return {};
}

void StoreReplay::apply() {
  std::atomic<uint64_t> lost = 0;
  std::vector<std::thread> threads;
  for (auto& samples : waiting_) {
    threads.emplace_back([this, &samples, &lost] { lost += head_.replay(samples); });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& samples : waiting_) samples.clear();
  waiting_count_ = 0;
  lost_ += lost;
}

void StoreReplay::finish() { apply(); }

}  // namespace binnacle::store::metrics
