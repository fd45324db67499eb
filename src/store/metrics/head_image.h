// What a query took from the head: the chosen series' bytes, copied while their shard was locked
// for some microseconds, to be decoded when nobody waits. One thread.
#pragma once

#include <string>
#include <vector>

#include "model/labels.h"
#include "model/sample.h"
#include "store/metrics/head_series.h"

namespace binnacle::store::metrics {

class HeadImage {
 public:
  // Copies what overlaps the range; nothing when that is nothing. `hidden`: so many of the newest
  // samples in order, and the late ones of commits newer than `snapshot` (if there is one), are not
  // for this reader. `labels` appends the packed labels.
  template <typename Labels>
  void add(const HeadSeries& series, int64_t min_ms, int64_t max_ms, uint32_t hidden,
           std::optional<CommitNumber> snapshot, bool labels_only, const Labels& labels) {
    const size_t before = bytes_.size();
    Entry entry;
    if (!copy(series, min_ms, max_ms, hidden, snapshot, entry)) return;
    if (labels_only) bytes_.resize(before);
    entry.labels_at = bytes_.size();
    labels(bytes_);
    entry.labels_size = bytes_.size() - entry.labels_at;
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
  struct Entry {
    size_t labels_at = 0;
    size_t labels_size = 0;
    size_t sealed_at = 0;
    size_t sealed_size = 0;
    SealedChunk before;  // the one before the first that was copied
    size_t open_at = 0;  // pairs of time and value
    size_t open_count = 0;
    size_t late_at = 0;
    size_t late_count = 0;
    uint32_t hidden = 0;
  };
  bool copy(const HeadSeries& series, int64_t min_ms, int64_t max_ms, uint32_t hidden,
            std::optional<CommitNumber> snapshot, Entry& entry);
  void put(int64_t timestamp_ms, double value);
  model::Sample at(size_t offset, size_t i) const;

  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace binnacle::store::metrics
