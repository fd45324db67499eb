// What takes samples out of a series of the head: after they are in a block, or when they are
// deleted.
#include <algorithm>

#include "base/check.h"
#include "store/metrics/head_series.h"

namespace binnacle::store::metrics {

size_t HeadSeries::count_before(int64_t end_ms) const {
  size_t count = 0;
  SealedChunk chunk;
  SealedChunk last_begun;
  for (SealedChunkReader reader(sealed()); reader.next(chunk) && chunk.first_ms < end_ms;) {
    count += last_begun.count;
    last_begun = chunk;
  }
  if (last_begun.count > 0) {
    std::vector<int64_t> times;
    std::vector<double> values;
    CHECK(decode_chunk(last_begun, times, values));
    count +=
        static_cast<size_t>(std::lower_bound(times.begin(), times.end(), end_ms) - times.begin());
  }
  for (size_t i = 0; i < open_count_ && open_time(i) < end_ms; ++i) ++count;
  return count;
}

// The samples in order but for so many of the oldest.
void HeadSeries::read_in_order(size_t skip, std::vector<int64_t>& times_ms,
                               std::vector<double>& values) const {
  SealedChunk chunk;
  for (SealedChunkReader reader(sealed()); reader.next(chunk);) {
    if (skip >= chunk.count) {
      skip -= chunk.count;
      continue;
    }
    CHECK(decode_chunk(chunk, times_ms, values));
  }
  for (size_t i = 0; i < open_count_; ++i) {
    times_ms.push_back(open_time(i));
    values.push_back(open_value(i));
  }
  CHECK(skip <= times_ms.size());
  times_ms.erase(times_ms.begin(), times_ms.begin() + static_cast<ptrdiff_t>(skip));
  values.erase(values.begin(), values.begin() + static_cast<ptrdiff_t>(skip));
}

void HeadSeries::drop_oldest(size_t count) {
  if (count == 0) return;
  std::vector<int64_t> times;
  std::vector<double> values;
  read_in_order(count, times, values);
  const int64_t last_ms = last_ms_;
  rebuild(times, values);
  last_ms_ = last_ms;
}

void HeadSeries::drop_late(int64_t end_ms, uint64_t up_to_sequence) {
  if (late_ == nullptr) return;
  std::erase_if(late_->samples, [&](const LateSample& sample) {
    return sample.timestamp_ms < end_ms && sample.sequence <= up_to_sequence;
  });
  if (late_->samples.empty()) late_.reset();
}

void HeadSeries::erase(int64_t min_ms, int64_t max_ms) {
  if (late_ != nullptr) {
    std::erase_if(late_->samples, [&](const LateSample& sample) {
      return sample.timestamp_ms >= min_ms && sample.timestamp_ms <= max_ms;
    });
    if (late_->samples.empty()) late_.reset();
  }
  std::vector<int64_t> times;
  std::vector<double> values;
  read_in_order(0, times, values);
  const auto from = std::lower_bound(times.begin(), times.end(), min_ms);
  const auto to = std::upper_bound(from, times.end(), max_ms);
  if (from == to) return;
  values.erase(values.begin() + (from - times.begin()), values.begin() + (to - times.begin()));
  times.erase(from, to);
  rebuild(times, values);
  // A time that a late sample has is never taken in order.
  if (late_ != nullptr) last_ms_ = std::max(last_ms_, late_->samples.back().timestamp_ms);
}

// Who comes after sees the samples that stay, whatever his snapshot: the caller lets no commit be
// in flight, or drops only what a block holds.
void HeadSeries::rebuild(std::span<const int64_t> times_ms, std::span<const double> values) {
  const CommitNumber commit = last_commit_;
  const uint32_t count = last_commit_count_;
  const uint16_t distance = commit_distance_;
  sealed_.reset();
  sealed_size_ = 0;
  sealed_chunks_ = 0;
  open_.reset();
  open_count_ = 0;
  open_capacity_ = 0;
  open_regular_ = true;
  open_continues_ = false;
  sealed_step_ = 0;
  last_ms_ = std::numeric_limits<int64_t>::min();
  for (size_t i = 0; i < times_ms.size(); ++i) push(times_ms[i], values[i], 0);
  last_commit_ = commit;
  last_commit_count_ = std::min(count, static_cast<uint32_t>(times_ms.size()));
  commit_distance_ = distance;
}

}  // namespace binnacle::store::metrics
