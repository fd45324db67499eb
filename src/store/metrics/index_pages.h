// The pages of a block's index, packed and unpacked: series, time columns, label values, postings.
// What is unpacked is checked to be in bounds whatever the bytes. Pure; any thread. Format:
// docs/formats/block.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "store/metrics/block_directory.h"

namespace binnacle::store::metrics {

enum class Link : uint8_t {
  kAgainst = 0,  // coded as a difference to the other column
  kSame = 1,     // the other column's very bits
  kNone = 2,
};

// One chunk of a series, as its page knows it.
struct ChunkRecord {
  uint32_t time_column = 0;
  uint32_t bytes = 0;
  Link link = Link::kNone;
  uint32_t other_series = 0;
  uint64_t position = 0;  // in the stream of values; filled in when read
};

struct TimeColumnRecord {
  int64_t min_ms = 0;
  int64_t max_ms = 0;
  uint32_t samples = 0;
  uint32_t bytes = 0;
  uint64_t position = 0;  // in the stream of times; filled in when read
};

class SeriesPageBuilder {
 public:
  void add(uint32_t series, std::span<const uint32_t> pairs, std::span<const ChunkRecord> chunks);
  bool empty() const { return records_ == 0; }
  uint32_t records() const { return records_; }
  uint64_t column_bytes() const { return column_bytes_; }
  std::string take();  // and starts the next page

 private:
  std::string labels_, chunks_, times_, sizes_, links_;
  std::vector<uint32_t> last_pairs_;
  uint32_t last_time_ = 0;
  uint32_t records_ = 0;
  uint64_t column_bytes_ = 0;
};

// A page of series, unpacked: ranges of two flat arrays.
class SeriesPage {
 public:
  // Nothing when the bytes are broken. `index` is the page's number.
  static std::optional<SeriesPage> parse(std::string_view raw, const BlockDirectory& directory,
                                         size_t index);
  std::span<const uint32_t> pairs(uint32_t at) const;  // ascending, one of a name
  std::span<const ChunkRecord> chunks(uint32_t at) const;
  size_t memory_bytes() const;

 private:
  bool parse_labels(std::string_view stream, const BlockDirectory& directory, size_t records);
  bool parse_chunks(std::span<const std::string_view> streams, const BlockDirectory& directory,
                    size_t index, size_t records);

  std::vector<uint32_t> pairs_, pair_ends_, chunk_ends_;
  std::vector<ChunkRecord> chunks_;
};

std::string pack_times(std::span<const TimeColumnRecord> records);
std::optional<std::vector<TimeColumnRecord>> parse_times(std::string_view raw,
                                                         const BlockPage& page, size_t records);

std::string pack_values(std::span<const std::string_view> values);

// A page of label values, unpacked.
class ValuePage {
 public:
  static std::optional<ValuePage> parse(std::string_view raw, size_t records);
  std::string_view at(size_t index) const;
  size_t size() const { return ends_.size(); }
  size_t memory_bytes() const { return text_.size() + ends_.size() * sizeof(uint32_t); }

 private:
  std::string text_;
  std::vector<uint32_t> ends_;
};

// Collects the series of one pair as runs of consecutive numbers.
class PostingBuilder {
 public:
  void add(uint32_t series);  // ascending
  std::string take();         // the list's bytes

 private:
  void close_run();
  std::string bytes_;
  uint32_t after_last_ = 0;  // end of the last run written
  uint32_t begin_ = 0, end_ = 0;
};

// Calls `run(begin, end)` for each run; false when the bytes are broken or leave [0, series).
template <typename Run>
bool for_each_run(std::string_view list, uint32_t series, Run run) {
  ByteReader in(list);
  uint64_t end = 0;
  while (in.ok() && !in.at_end()) {
    const uint64_t gap = in.varint();
    const uint64_t more = in.varint();
    if (!in.ok() || gap > series - end || more >= series - end - gap) return false;
    const uint64_t begin = end + gap;
    end = begin + more + 1;
    run(static_cast<uint32_t>(begin), static_cast<uint32_t>(end));
  }
  return in.ok();
}

// The lists of a page of postings, as views of `raw`.
std::optional<std::vector<std::string_view>> parse_postings(std::string_view raw, size_t records);

}  // namespace binnacle::store::metrics
