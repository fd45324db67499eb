// What a query took from the head: the chosen series' bytes, copied while their shard was locked
// for some microseconds, to be decoded when nobody waits. One thread.
#pragma once

#include <string>
#include <vector>

#include "model/labels.h"
#include "model/read_budget.h"
#include "model/sample.h"
#include "store/metrics/head_series.h"

namespace binnacle::store::metrics {

class HeadImage {
 public:
  explicit HeadImage(model::ReadBudget* budget = nullptr) : held_(budget) {}

  // From now on of a series the newest sample within the range may be all that is copied.
  void only_newest() { only_newest_ = true; }
  // Errors are the budget's, here and in charge().
  Status reserve(size_t series);
  Status charge();  // what it holds by now
  // Copies what overlaps the range; nothing when that is nothing. `hidden`: so many of the newest
  // samples in order, and the late ones of commits newer than `snapshot` (if there is one), are not
  // for this reader. `labels` appends the packed labels.
  template <typename Labels>
  void add(const HeadSeries& series, int64_t min_ms, int64_t max_ms, uint32_t hidden,
           std::optional<CommitNumber> snapshot, bool labels_only, const Labels& labels) {
    Entry entry;
    entry.at = bytes_.size();
    if (!copy(series, min_ms, max_ms, hidden, snapshot, entry)) return;
    if (labels_only) {
      bytes_.resize(entry.at);
      entry = {.at = entry.at};
    }
    const size_t before = bytes_.size();
    labels(bytes_);
    entry.labels_size = static_cast<uint32_t>(bytes_.size() - before);
    entries_.push_back(entry);
  }

  void sort();  // by labels
  size_t size() const { return entries_.size(); }
  model::LabelsView labels(size_t i) const;
  // Samples within the range, replacing what the columns hold.
  Status decode(size_t i, int64_t min_ms, int64_t max_ms, std::vector<int64_t>& times_ms,
                std::vector<double>& values) const;
  void clear();

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // In `bytes_`, one after the other: sealed chunks, pairs of time and value of the open chunk and
  // of late samples, labels.
  struct Entry {
    size_t at = 0;
    uint32_t sealed_size = 0;
    uint32_t before = kNone;  // in `before_`: the chunk before the first that was copied
    uint32_t open_count = 0;
    uint32_t late_count = 0;
    uint32_t labels_size = 0;
    uint32_t hidden = 0;
    size_t open_at() const { return at + sealed_size; }
    size_t late_at() const { return open_at() + open_count * kSampleBytes; }
    size_t labels_at() const { return late_at() + late_count * kSampleBytes; }
  };
  static constexpr size_t kSampleBytes = sizeof(int64_t) + sizeof(double);

  bool copy_newest(const HeadSeries& series, int64_t min_ms, int64_t max_ms, uint32_t hidden,
                   Entry& entry);
  bool copy(const HeadSeries& series, int64_t min_ms, int64_t max_ms, uint32_t hidden,
            std::optional<CommitNumber> snapshot, Entry& entry);
  void put(int64_t timestamp_ms, double value);
  model::Sample at(size_t offset, size_t i) const;

  std::string_view packed(const Entry& entry) const {
    return std::string_view(bytes_).substr(entry.labels_at(), entry.labels_size);
  }

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<SealedChunk> before_;
  model::HeldBytes held_;
  bool only_newest_ = false;
};

}  // namespace binnacle::store::metrics
