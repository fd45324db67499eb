#include "store/metrics/column_reader.h"

#include <algorithm>

#include "store/metrics/column_codec.h"
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

Result<ColumnReader::Values> ColumnReader::linked(const ChunkRecord& record, uint32_t chunk,
                                                  uint32_t samples, uint32_t steps) const {
  if (steps >= kMaxLinkSteps)
    return pages_.broken(ColumnStream::kValues, record.position, "a chain of columns is too long");
  return values(record.other_series, chunk, samples, steps + 1);
}

Result<ColumnReader::Values> ColumnReader::values(uint32_t series, uint32_t chunk, uint32_t samples,
                                                  uint32_t steps) const {
  const CacheKey key{index_.owner(), CachedKind::kValueColumn, (uint64_t{series} << 32) | chunk};
  if (auto cached = thread_read_cache().find<std::vector<double>>(key)) {
    if (cached->size() == samples) return cached;
  }
  TRY_ASSIGN(const auto page, index_.series_page(series));
  const auto chunks = page->chunks(series % kSeriesPerPage);
  if (chunk >= chunks.size()) {
    return pages_.broken(ColumnStream::kValues, chunks.back().position,
                         "a link leads to no column");
  }
  const ChunkRecord& record = chunks[chunk];
  if (record.link == Link::kSame) return linked(record, chunk, samples, steps);

  TRY_ASSIGN(const auto column, pages_.read(ColumnStream::kValues, record.position, record.bytes));
  auto out = std::make_shared<std::vector<double>>(samples);
  Status done;
  if (record.link == Link::kAgainst) {
    TRY_ASSIGN(const Values lower, linked(record, chunk, samples, steps));
    done = decode_values_against(column.bytes, *lower, *out);
  } else {
    done = decode_values(column.bytes, *out);
  }
  if (!done) return pages_.broken(ColumnStream::kValues, record.position, done.error().message);
  // A column that stands alone and that no other was read for would only push others out.
  if (steps > 0 || record.link != Link::kNone)
    thread_read_cache().put(key, out, out->size() * sizeof(double));
  return out;
}

Status ColumnReader::read(uint32_t series, int64_t min_ms, int64_t max_ms,
                          std::vector<int64_t>& times_ms, std::vector<double>& out) const {
  TRY_ASSIGN(const auto page, index_.series_page(series));
  const auto chunks = page->chunks(series % kSeriesPerPage);
  for (uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
    TRY_ASSIGN(const TimeColumnRecord record, index_.time_column(chunks[chunk].time_column));
    if (record.max_ms < min_ms || record.min_ms > max_ms) continue;
    TRY_ASSIGN(const Times column, times(chunks[chunk].time_column, record));
    if (!times_ms.empty() && times_ms.back() >= column->front()) {
      return pages_.broken(ColumnStream::kTimes, record.position, "chunks of a series overlap");
    }
    const auto first = std::ranges::lower_bound(*column, min_ms);
    const auto last = std::ranges::upper_bound(first, column->end(), max_ms);
    if (first == last) continue;
    TRY_ASSIGN(const Values samples, values(series, chunk, record.samples, 0));
    times_ms.insert(times_ms.end(), first, last);
    out.insert(out.end(), samples->begin() + (first - column->begin()),
               samples->begin() + (last - column->begin()));
  }
  return {};
}

}  // namespace binnacle::store::metrics
