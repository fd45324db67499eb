#include "store/metrics/index_pages.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

constexpr size_t kSeriesStreams = 5;
constexpr size_t kTimeStreams = 4;

std::string join_streams(std::span<const std::string* const> streams) {
  std::string raw;
  ByteWriter out(raw);
  for (const std::string* stream : streams.first(streams.size() - 1)) out.varint(stream->size());
  for (const std::string* stream : streams) out.raw(*stream);
  return raw;
}

template <size_t N>
bool split_streams(std::string_view raw, std::array<std::string_view, N>& streams) {
  ByteReader in(raw);
  std::array<uint64_t, N - 1> sizes{};
  for (uint64_t& size : sizes) size = in.varint();
  for (size_t i = 0; i + 1 < N; ++i) streams[i] = in.raw(sizes[i]);
  streams[N - 1] = in.rest();
  return in.ok();
}

int64_t difference(uint64_t a, uint64_t b) { return static_cast<int64_t>(a - b); }

uint64_t zigzag_bits(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ (v < 0 ? ~uint64_t{0} : 0);
}

int64_t from_zigzag_bits(uint64_t v) { return static_cast<int64_t>((v >> 1) ^ (0 - (v & 1))); }

// The record of a link; false when it leads outside the block.
bool read_link(uint64_t code, uint32_t series, uint32_t series_count, ChunkRecord& chunk) {
  if (code == 0) return true;
  chunk.link = ((code - 1) & 1) != 0 ? Link::kSame : Link::kAgainst;
  const int64_t other =
      static_cast<int64_t>(series) + from_zigzag_bits((code - 1) >> 1) % (int64_t{1} << 33);
  if (other < 0 || other >= series_count || other == series) return false;
  chunk.other_series = static_cast<uint32_t>(other);
  return chunk.link == Link::kAgainst || chunk.bytes == 0;
}

}  // namespace

void SeriesPageBuilder::add(uint32_t series, std::span<const uint32_t> pairs,
                            std::span<const ChunkRecord> chunks) {
  CHECK(!chunks.empty());
  const auto shared = std::ranges::mismatch(pairs, last_pairs_).in1 - pairs.begin();
  ByteWriter labels(labels_), counts(chunks_), times(times_), sizes(sizes_), links(links_);
  labels.varint(static_cast<uint64_t>(shared));
  labels.varint(pairs.size() - static_cast<size_t>(shared));
  for (const uint32_t pair : pairs.subspan(static_cast<size_t>(shared))) labels.varint(pair);
  counts.varint(chunks.size());
  for (const ChunkRecord& chunk : chunks) {
    times.zigzag(difference(chunk.time_column, last_time_));
    last_time_ = chunk.time_column;
    sizes.varint(chunk.bytes);
    column_bytes_ += chunk.bytes;
    const int64_t away = difference(chunk.other_series, series);
    links.varint(chunk.link == Link::kNone
                     ? 0
                     : 1 + 2 * zigzag_bits(away) + static_cast<uint64_t>(chunk.link));
  }
  last_pairs_.assign(pairs.begin(), pairs.end());
  ++records_;
}

std::string SeriesPageBuilder::take() {
  const std::array<const std::string*, kSeriesStreams> streams = {&labels_, &chunks_, &times_,
                                                                  &sizes_, &links_};
  std::string raw = join_streams(streams);
  *this = {};
  return raw;
}

std::optional<SeriesPage> SeriesPage::parse(std::string_view raw, const BlockDirectory& directory,
                                            size_t index) {
  std::array<std::string_view, kSeriesStreams> streams;
  const size_t records =
      std::min<size_t>(kSeriesPerPage, directory.series - index * kSeriesPerPage);
  SeriesPage out;
  if (!split_streams(raw, streams) || !out.parse_labels(streams[0], directory, records) ||
      !out.parse_chunks(std::span(streams).subspan(1), directory, index, records)) {
    return {};
  }
  return out;
}

bool SeriesPage::parse_labels(std::string_view stream, const BlockDirectory& directory,
                              size_t records) {
  ByteReader in(stream);
  size_t last_begin = 0;
  for (size_t i = 0; i < records; ++i) {
    const size_t begin = pairs_.size();
    const uint64_t shared = in.varint();
    const uint64_t more = in.varint();
    if (!in.ok() || shared > begin - last_begin || more > in.rest().size()) return false;
    for (uint64_t k = 0; k < shared; ++k) pairs_.push_back(pairs_[last_begin + k]);
    for (uint64_t k = 0; k < more; ++k) {
      const uint64_t pair = in.varint();
      if (pair >= directory.pairs) return false;
      if (pairs_.size() > begin && pairs_.back() >= pair) return false;
      pairs_.push_back(static_cast<uint32_t>(pair));
    }
    last_begin = begin;
    pair_ends_.push_back(static_cast<uint32_t>(pairs_.size()));
  }
  return in.at_end();
}

bool SeriesPage::parse_chunks(std::span<const std::string_view> streams,
                              const BlockDirectory& directory, size_t index, size_t records) {
  ByteReader counts(streams[0]), times(streams[1]), sizes(streams[2]), links(streams[3]);
  const BlockPage& page = directory.series_pages[index];
  uint64_t position = page.first;
  uint32_t time = 0;
  for (size_t i = 0; i < records; ++i) {
    const uint64_t count = counts.varint();
    if (count == 0 || count > sizes.rest().size()) return false;
    const auto series = static_cast<uint32_t>(index * kSeriesPerPage + i);
    for (uint64_t k = 0; k < count; ++k) {
      ChunkRecord chunk;
      const uint64_t bytes = sizes.varint();
      time += static_cast<uint32_t>(times.zigzag());
      if (time >= directory.time_columns || bytes > page.first + page.extent - position)
        return false;
      chunk.time_column = time;
      chunk.bytes = static_cast<uint32_t>(bytes);
      chunk.position = position;
      position += bytes;
      if (!read_link(links.varint(), series, directory.series, chunk)) return false;
      chunks_.push_back(chunk);
    }
    chunk_ends_.push_back(static_cast<uint32_t>(chunks_.size()));
  }
  return counts.at_end() && times.at_end() && sizes.at_end() && links.at_end() &&
         position == page.first + page.extent;
}

std::span<const uint32_t> SeriesPage::pairs(uint32_t at) const {
  CHECK(at < pair_ends_.size());
  const size_t begin = at == 0 ? 0 : pair_ends_[at - 1];
  return std::span(pairs_).subspan(begin, pair_ends_[at] - begin);
}

std::span<const ChunkRecord> SeriesPage::chunks(uint32_t at) const {
  CHECK(at < chunk_ends_.size());
  const size_t begin = at == 0 ? 0 : chunk_ends_[at - 1];
  return std::span(chunks_).subspan(begin, chunk_ends_[at] - begin);
}

size_t SeriesPage::memory_bytes() const {
  return (pairs_.size() + pair_ends_.size() + chunk_ends_.size()) * sizeof(uint32_t) +
         chunks_.size() * sizeof(ChunkRecord);
}

std::string pack_times(std::span<const TimeColumnRecord> records) {
  std::string firsts, ranges, samples, sizes;
  ByteWriter first(firsts), range(ranges), sample(samples), size(sizes);
  int64_t last = 0;
  for (const TimeColumnRecord& record : records) {
    first.zigzag(difference(static_cast<uint64_t>(record.min_ms), static_cast<uint64_t>(last)));
    last = record.min_ms;
    range.varint(static_cast<uint64_t>(record.max_ms) - static_cast<uint64_t>(record.min_ms));
    sample.varint(record.samples);
    size.varint(record.bytes);
  }
  const std::array<const std::string*, kTimeStreams> streams = {&firsts, &ranges, &samples, &sizes};
  return join_streams(streams);
}

std::optional<std::vector<TimeColumnRecord>> parse_times(std::string_view raw,
                                                         const BlockPage& page, size_t records) {
  std::array<std::string_view, kTimeStreams> streams;
  if (!split_streams(raw, streams)) return {};
  ByteReader first(streams[0]), range(streams[1]), sample(streams[2]), size(streams[3]);
  std::vector<TimeColumnRecord> out;
  uint64_t last = 0;
  uint64_t position = page.first;
  for (size_t i = 0; i < records; ++i) {
    TimeColumnRecord record;
    last += static_cast<uint64_t>(first.zigzag());
    record.min_ms = static_cast<int64_t>(last);
    record.max_ms = static_cast<int64_t>(last + range.varint());
    const uint64_t samples = sample.varint();
    const uint64_t bytes = size.varint();
    if (record.max_ms < record.min_ms || samples == 0 || samples > kMaxChunkSamples ||
        bytes > page.first + page.extent - position) {
      return {};
    }
    record.samples = static_cast<uint32_t>(samples);
    record.bytes = static_cast<uint32_t>(bytes);
    record.position = position;
    position += bytes;
    out.push_back(record);
  }
  const bool whole = first.at_end() && range.at_end() && sample.at_end() && size.at_end() &&
                     position == page.first + page.extent;
  if (!whole) return {};
  return out;
}

std::string pack_values(std::span<const std::string_view> values) {
  std::string raw;
  ByteWriter out(raw);
  std::string_view last;
  for (const std::string_view value : values) {
    const auto shared = static_cast<size_t>(std::ranges::mismatch(value, last).in1 - value.begin());
    out.varint(shared);
    out.sized(value.substr(shared));
    last = value;
  }
  return raw;
}

std::optional<ValuePage> ValuePage::parse(std::string_view raw, size_t records) {
  ValuePage out;
  ByteReader in(raw);
  size_t last_begin = 0;
  for (size_t i = 0; i < records; ++i) {
    const uint64_t shared = in.varint();
    const std::string_view rest = in.sized();
    const size_t begin = out.text_.size();
    if (!in.ok() || shared > begin - last_begin || begin > kMaxPageBytes) return {};
    out.text_.append(out.text_, last_begin, shared);
    out.text_ += rest;
    if (out.text_.size() == begin) return {};  // an empty value is never stored
    last_begin = begin;
    out.ends_.push_back(static_cast<uint32_t>(out.text_.size()));
  }
  if (!in.at_end()) return {};
  return out;
}

std::string_view ValuePage::at(size_t index) const {
  CHECK(index < ends_.size());
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::string_view(text_).substr(begin, ends_[index] - begin);
}

void PostingBuilder::add(uint32_t series) {
  if (series != end_ || begin_ == end_) {
    close_run();
    begin_ = series;
  }
  end_ = series + 1;
}

void PostingBuilder::close_run() {
  if (begin_ == end_) return;
  ByteWriter out(bytes_);
  out.varint(begin_ - after_last_);
  out.varint(end_ - begin_ - 1);
  after_last_ = end_;
}

std::string PostingBuilder::take() {
  close_run();
  return std::move(bytes_);
}

std::optional<std::vector<std::string_view>> parse_postings(std::string_view raw, size_t records) {
  ByteReader in(raw);
  std::vector<std::string_view> lists;
  for (size_t i = 0; i < records && in.ok(); ++i) lists.push_back(in.sized());
  if (!in.at_end() || lists.size() != records) return {};
  return lists;
}

}  // namespace binnacle::store::metrics
