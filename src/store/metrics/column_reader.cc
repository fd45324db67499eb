#include "store/metrics/column_reader.h"

#include <algorithm>

#include "store/metrics/read_cache.h"

namespace binnacle::store::metrics {

Result<ColumnReader::Times> ColumnReader::times(uint32_t number,
                                                const TimeColumnRecord& record) const {
  const CacheKey key{index_.owner(), CachedKind::kTimeColumn, number};
  if (auto cached = thread_read_cache().find<std::vector<int64_t>>(key)) return cached;
  TRY_ASSIGN(const auto column, pages_.read(ColumnStream::kTimes, record.position, record.bytes));
  auto out = std::make_shared<std::vector<int64_t>>(record.samples);
  if (const auto done = decode_times(column.bytes, *out); !done)
    return pages_.broken(ColumnStream::kTimes, record.position, done.error().message);
  if (out->front() != record.min_ms || out->back() != record.max_ms)
    return pages_.broken(ColumnStream::kTimes, record.position, "not the times of the index");
  thread_read_cache().put(key, out, out->size() * sizeof(int64_t));
  return out;
}

Result<const ColumnReader::Linked*> ColumnReader::linked(const ChunkRecord& record, uint32_t chunk,
                                                         uint32_t samples, uint32_t steps) {
  if (steps >= kMaxLinkSteps)
    return pages_.broken(ColumnStream::kValues, record.position, "a chain of columns is too long");
  return values(record.other_series, chunk, samples, steps + 1);
}

Result<const ColumnReader::Linked*> ColumnReader::values(uint32_t series, uint32_t chunk,
                                                         uint32_t samples, uint32_t steps) {
  const uint64_t key = (uint64_t{series} << 32) | chunk;
  const auto found = std::ranges::find(linked_keys_, key);
  if (found != linked_keys_.end()) {
    const Linked& held = linked_[static_cast<size_t>(found - linked_keys_.begin())];
    if (held.values.size() == samples) return &held;
  }
  std::shared_ptr<const SeriesPage> page = page_;
  if (series / kSeriesPerPage != page_number_) {
    TRY_ASSIGN(page, index_.series_page(series));
  }
  const auto chunks = page->chunks(series % kSeriesPerPage);
  if (chunk >= chunks.size()) {
    return pages_.broken(ColumnStream::kValues, chunks.back().position,
                         "a link leads to no column");
  }
  const ChunkRecord& record = chunks[chunk];
  if (record.link == Link::kSame) return linked(record, chunk, samples, steps);

  TRY_ASSIGN(const auto column, pages_.read(ColumnStream::kValues, record.position, record.bytes));
  const Linked* lower = nullptr;
  if (record.link == Link::kAgainst) {
    TRY_ASSIGN(lower, linked(record, chunk, samples, steps));
  }
  const size_t slot = next_linked_;
  Linked& out = linked_[slot];
  next_linked_ = (next_linked_ + 1) % kLinked;
  out.values.resize(samples);
  linked_keys_[slot] = UINT64_MAX;  // a broken column must not be found again
  const Status done = lower != nullptr
                          ? decode_values_against(column.bytes, lower->values, out.values,
                                                  &lower->integers, &out.integers)
                          : decode_values(column.bytes, out.values, &out.integers);
  if (!done) return pages_.broken(ColumnStream::kValues, record.position, done.error().message);
  linked_keys_[slot] = key;
  return &out;
}

bool ColumnReader::same_parts(std::span<const ChunkRecord> chunks, int64_t min_ms,
                              int64_t max_ms) const {
  return times_id_ != 0 && min_ms == min_ms_ && max_ms == max_ms_ &&
         std::ranges::equal(chunks, time_columns_, {}, &ChunkRecord::time_column);
}

Status ColumnReader::find_parts(std::span<const ChunkRecord> chunks, int64_t min_ms,
                                int64_t max_ms) {
  parts_.clear();
  times_.clear();
  time_columns_.clear();
  joined_times_.clear();
  const uint64_t id = times_id_ + 1;
  times_id_ = 0;
  min_ms_ = min_ms;
  max_ms_ = max_ms;
  int64_t last_ms = 0;
  for (uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
    const uint32_t number = chunks[chunk].time_column;
    time_columns_.push_back(number);
    TRY_ASSIGN(const TimeColumnRecord record, index_.time_column(number));
    if (record.max_ms < min_ms || record.min_ms > max_ms) continue;
    TRY_ASSIGN(const Times column, times(number, record));
    const auto first = std::ranges::lower_bound(*column, min_ms);
    const auto last = std::ranges::upper_bound(first, column->end(), max_ms);
    if (first == last) continue;
    if (!parts_.empty() && last_ms >= *first)
      return pages_.broken(ColumnStream::kTimes, record.position, "chunks of a series overlap");
    last_ms = *(last - 1);
    parts_.push_back({chunk, record.samples, static_cast<uint32_t>(first - column->begin()),
                      static_cast<uint32_t>(last - first)});
    times_.push_back(column);
  }
  for (size_t i = 0; parts_.size() > 1 && i < parts_.size(); ++i) {
    const auto from = times_[i]->begin() + parts_[i].first;
    joined_times_.insert(joined_times_.end(), from, from + parts_[i].count);
  }
  times_id_ = id;
  return {};
}

Result<bool> ColumnReader::any_will_do(ChunkRecord record, uint32_t chunk) const {
  if (!any_number_) return false;
  for (uint32_t steps = 0; record.link == Link::kSame; ++steps) {
    TRY_ASSIGN(const auto page, index_.series_page(record.other_series));
    const auto chunks = page->chunks(record.other_series % kSeriesPerPage);
    if (chunk >= chunks.size() || steps >= kMaxLinkSteps)
      return false;  // decoding tells what is wrong
    record = chunks[chunk];
  }
  TRY_ASSIGN(const auto column, pages_.read(ColumnStream::kValues, record.position, record.bytes));
  return holds_numbers(column.bytes);
}

// A column that stands alone and that no other was read for would only push others out.
Status ColumnReader::read_values(uint32_t series, const Part& part, std::span<const double>& out) {
  const ChunkRecord& record = page_->chunks(series % kSeriesPerPage)[part.chunk];
  TRY_ASSIGN(const bool any, any_will_do(record, part.chunk));
  if (any) {
    if (zeros_.size() < part.samples) zeros_.resize(part.samples);
    out = std::span<const double>(zeros_).subspan(part.first, part.count);
    return {};
  }
  if (record.link == Link::kNone) {
    TRY_ASSIGN(const auto column,
               pages_.read(ColumnStream::kValues, record.position, record.bytes));
    column_.resize(part.samples);
    if (const auto done = decode_values(column.bytes, column_); !done)
      return pages_.broken(ColumnStream::kValues, record.position, done.error().message);
    out = std::span<const double>(column_).subspan(part.first, part.count);
    return {};
  }
  TRY_ASSIGN(const Linked* const whole, values(series, part.chunk, part.samples, 0));
  out = std::span(whole->values).subspan(part.first, part.count);
  return {};
}

Status ColumnReader::read(uint32_t series, int64_t min_ms, int64_t max_ms, Samples& out) {
  if (page_number_ != series / kSeriesPerPage) {
    TRY_ASSIGN(page_, index_.series_page(series));
    page_number_ = series / kSeriesPerPage;
  }
  const auto chunks = page_->chunks(series % kSeriesPerPage);
  if (!same_parts(chunks, min_ms, max_ms)) TRY(find_parts(chunks, min_ms, max_ms));
  out = {};
  out.times_id = times_id_;
  if (parts_.empty()) return {};
  if (parts_.size() == 1) {
    out.times_ms = std::span(*times_[0]).subspan(parts_[0].first, parts_[0].count);
    return read_values(series, parts_[0], out.values);
  }
  joined_values_.clear();
  for (const Part& part : parts_) {
    std::span<const double> some;
    TRY(read_values(series, part, some));
    joined_values_.insert(joined_values_.end(), some.begin(), some.end());
  }
  out.times_ms = joined_times_;
  out.values = joined_values_;
  return {};
}

}  // namespace binnacle::store::metrics
