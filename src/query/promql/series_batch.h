// Some series, copied from their reader, and the rows that were made of them. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "query/promql/row_maker.h"
#include "query/promql/series_reader.h"

namespace binnacle::query::promql {

class SeriesBatch {
 public:
  // Copies the next series. False when the reader is at its end; then the batch may still have
  // some.
  Result<bool> read(SeriesReader& reader);
  // Makes the rows; the series go.
  Status make_rows(RowMaker& maker);

  size_t row_count() const { return rows_.size(); }
  Row row(size_t i) const;
  size_t bytes() const;

 private:
  struct Series {
    size_t labels_at = 0;
    size_t labels_size = 0;
    size_t times_at = 0;
    size_t values_at = 0;
    size_t samples = 0;
    uint64_t times_id = 0;
  };
  struct MadeRow {
    size_t labels_at = 0;
    size_t labels_size = 0;
    bool drop_name = false;
  };
  void copy(const model::SeriesColumns& columns);

  std::string labels_;
  std::vector<Series> series_;
  std::vector<int64_t> times_ms_;  // a column that several series share once
  std::vector<double> values_;
  std::vector<MadeRow> rows_;
  std::vector<double> row_values_;  // row after row, as many each
};

}  // namespace binnacle::query::promql
