#include "query/promql/series_batch.h"

#include <span>

namespace binnacle::query::promql {
namespace {

// Enough that taking turns at the reader costs nothing beside the work, few enough for the cache.
constexpr size_t kBatchSeries = 64;
constexpr size_t kBatchSamples = 32'768;

}  // namespace

Result<bool> SeriesBatch::read(SeriesReader& reader) {
  model::SeriesColumns columns;
  while (series_.size() < kBatchSeries && values_.size() < kBatchSamples) {
    TRY_ASSIGN(const bool more, reader.next(columns));
    if (!more) return false;
    copy(columns);
  }
  return true;
}

void SeriesBatch::copy(const model::SeriesColumns& columns) {
  Series series;
  series.labels_at = labels_.size();
  series.labels_size = columns.labels.packed().size();
  labels_ += columns.labels.packed();
  series.samples = columns.values.size();
  series.times_id = columns.timestamps_id;
  const bool same_times = !series_.empty() && columns.timestamps_id != 0 &&
                          columns.timestamps_id == series_.back().times_id;
  series.times_at = same_times ? series_.back().times_at : times_ms_.size();
  if (!same_times)
    times_ms_.insert(times_ms_.end(), columns.timestamps_ms.begin(), columns.timestamps_ms.end());
  series.values_at = values_.size();
  values_.insert(values_.end(), columns.values.begin(), columns.values.end());
  series_.push_back(series);
}

Status SeriesBatch::make_rows(RowMaker& maker) {
  const std::string_view labels = labels_;
  for (const Series& series : series_) {
    const model::SeriesColumns columns{
        model::LabelsView(labels.substr(series.labels_at, series.labels_size)),
        std::span(times_ms_).subspan(series.times_at, series.samples),
        std::span(values_).subspan(series.values_at, series.samples), series.times_id};
    Row row;
    TRY_ASSIGN(const bool any, maker.make(columns, row));
    if (!any) continue;
    rows_.push_back({series.labels_at, series.labels_size, row.drop_name});
    row_values_.insert(row_values_.end(), row.values.begin(), row.values.end());
  }
  series_.clear();
  times_ms_ = {};
  values_ = {};
  return {};
}

Row SeriesBatch::row(size_t i) const {
  const MadeRow& made = rows_[i];
  const size_t steps = row_values_.size() / rows_.size();
  return {model::LabelsView(std::string_view(labels_).substr(made.labels_at, made.labels_size)),
          made.drop_name, std::span(row_values_).subspan(i * steps, steps)};
}

size_t SeriesBatch::bytes() const {
  return labels_.capacity() + times_ms_.capacity() * sizeof(int64_t) +
         (values_.capacity() + row_values_.capacity()) * sizeof(double);
}

}  // namespace binnacle::query::promql
