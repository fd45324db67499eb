// One series of the head: its newest samples as they came (the open chunk), older ones sealed in
// chunks of 16 behind one another in one allocation, and those that came out of order beside them.
// Small on purpose: there are millions. Not thread-safe: guarded by its shard's lock. Format of the
// sealed chunks: docs/formats/head.md.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/metrics/pair_table.h"

namespace binnacle::store::metrics {

// Commits are numbered; 0 stands for one so old that every reader sees it. Numbers may wrap.
using CommitNumber = uint32_t;
inline bool newer(CommitNumber a, CommitNumber than) {
  return a != 0 && static_cast<int32_t>(a - than) > 0;
}

struct LateSample {
  int64_t timestamp_ms = 0;
  double value = 0;
  uint64_t sequence = 0;  // in order of arrival over the whole head
  CommitNumber commit = 0;
};

inline bool same_bits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

class HeadSeries {
 public:
  static constexpr size_t kChunkSamples = 16;

  HeadSeries() = default;
  ~HeadSeries();
  HeadSeries(const HeadSeries&) = delete;
  HeadSeries& operator=(const HeadSeries&) = delete;

  // Begins a life in this slot. `hash` of the packed labels.
  void open(uint64_t hash, std::span<const PairId> pairs);
  void close();  // frees everything
  bool alive() const { return pairs_ != nullptr; }

  uint64_t hash() const { return hash_; }
  std::span<const PairId> pairs() const { return {pairs_.get() + 1, pairs_[0]}; }
  bool logged() const { return logged_; }
  void set_logged(bool logged) { logged_ = logged; }

  bool empty() const { return open_count_ == 0 && late_ == nullptr; }
  size_t chunks() const { return sealed_chunks_ + (open_count_ > 0 ? 1U : 0U); }
  bool has_samples_in_order() const { return open_count_ > 0; }
  // Of the newest that ever came in order and was not deleted, though it may be in a block by now.
  int64_t last_ms() const { return last_ms_; }
  double last_value() const;  // only when has_samples_in_order()
  // Of the oldest sample, late ones included; only when not empty().
  int64_t first_ms() const;

  // Fetches what push() reads and writes: first the object, which may lie across two lines of the
  // cache, then, once that has come, the place in the open chunk that it points to.
  void prefetch() const {
    __builtin_prefetch(this, 1);
    __builtin_prefetch(reinterpret_cast<const char*>(this + 1) - 1, 1);
  }
  void prefetch_open() const {
    if (open_ == nullptr) return;
    __builtin_prefetch(open_.get());
    __builtin_prefetch(open_.get() + sizeof(int64_t) + open_count_ * sizeof(double), 1);
  }

  // `timestamp_ms` newer than last_ms().
  void push(int64_t timestamp_ms, double value, CommitNumber commit);
  // Kept beside; of two at one time the later one holds, over one in order too.
  void insert_late(LateSample sample);
  std::optional<double> find(int64_t timestamp_ms) const;

  // What a reader of `snapshot` must not see: so many of the newest samples in order. Nothing when
  // that cannot be told any more, because two commits newer than the snapshot were here.
  std::optional<uint32_t> hidden_from(CommitNumber snapshot) const;
  // No reader needs to tell commits up to `watermark` apart any more.
  void forget_commits(CommitNumber watermark);

  // The parts as they are, for a reader or a snapshot.
  std::string_view sealed() const { return {sealed_.get(), sealed_size_}; }
  size_t open_count() const { return open_count_; }
  int64_t open_time(size_t i) const;
  double open_value(size_t i) const;
  std::span<const LateSample> late() const;
  // The open chunk as a sealed one, for a snapshot; nothing when it is empty.
  void append_open(std::string& out) const;

  // Samples in order with time < end_ms: how many.
  size_t count_before(int64_t end_ms) const;
  // Drops so many of the oldest samples in order.
  void drop_oldest(size_t count);
  void drop_late(int64_t end_ms, uint64_t up_to_sequence);
  // Drops min_ms <= time <= max_ms; what is left tells what the newest sample is.
  void erase(int64_t min_ms, int64_t max_ms);

  // As they were, from a snapshot whose checksum was right.
  void restore(int64_t last_ms, std::string_view sealed, std::span<const int64_t> open_times,
               std::span<const double> open_values, std::span<const LateSample> late);

  size_t memory_bytes() const;

 private:
  struct Late {
    std::vector<LateSample> samples;  // by time
  };

  double* open_values() const;
  uint32_t* open_offsets() const;  // only when not regular
  int64_t open_base() const;
  void lay_out(size_t capacity, bool regular);
  void put_open(int64_t timestamp_ms, double value);
  uint32_t write_chunk(bool may_continue, std::string& body) const;
  void seal();
  void read_in_order(size_t skip, std::vector<int64_t>& times_ms,
                     std::vector<double>& values) const;
  void rebuild(std::span<const int64_t> times_ms, std::span<const double> values);

  uint64_t hash_ = 0;
  std::unique_ptr<PairId[]> pairs_;  // how many, then the ids
  int64_t last_ms_ = std::numeric_limits<int64_t>::min();
  // Base time, values, and where times are not regular 32 bit offsets from the base.
  std::unique_ptr<char[]> open_;
  std::unique_ptr<char[]> sealed_;
  std::unique_ptr<Late> late_;
  uint32_t sealed_size_ = 0;
  uint32_t sealed_chunks_ = 0;
  uint32_t sealed_step_ = 0;  // between the times of the newest sealed chunk; 0: not regular
  uint32_t open_step_ = 0;    // between the first two times of the open chunk
  CommitNumber last_commit_ = 0;
  uint32_t last_commit_count_ = 0;  // samples of that commit
  uint16_t commit_distance_ = 0;    // from the commit before; the largest value: that or more
  uint8_t open_count_ = 0;
  uint8_t open_capacity_ = 0;
  bool open_regular_ = true;     // times stand at even steps
  bool open_continues_ = false;  // the first time follows the sealed ones at their step
  bool logged_ = false;
};

// The sealed chunks of a series, one after the other.
struct SealedChunk {
  size_t count = 0;
  int64_t first_ms = 0;
  int64_t step_ms = 0;     // between times; 0: `times` has them
  std::string_view times;  // relative to first_ms
  std::string_view values;
  int64_t end_ms() const { return first_ms + static_cast<int64_t>(count) * step_ms; }
};
class SealedChunkReader {
 public:
  // `before`: the chunk before the first one; none at the beginning.
  explicit SealedChunkReader(std::string_view sealed, const SealedChunk& before = {})
      : rest_(sealed), before_(before) {}
  bool next(SealedChunk& out);  // false at the end, and at broken bytes
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  SealedChunk before_;
  bool ok_ = true;
};
// Appends the chunk's samples to the columns.
Status decode_chunk(const SealedChunk& chunk, std::vector<int64_t>& times_ms,
                    std::vector<double>& values);

}  // namespace binnacle::store::metrics
