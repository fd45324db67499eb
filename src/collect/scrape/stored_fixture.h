// For tests: what a store holds after scrapes, as lines.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "model/matcher.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::scrape {

// "name{labels} v1 v2@seconds ..." of every series whose name matches; "stale" for a marker. Times
// are shown as seconds since `origin_ms`.
inline std::vector<std::string> stored(store::metrics::LinearStore& store, const std::string& names,
                                       int64_t origin_ms) {
  auto querier = store.querier(0, INT64_MAX);
  auto match =
      model::Matcher::create(model::MatchOp::kRegex, std::string(model::kMetricName), names);
  CHECK(querier && match);
  auto set = (*querier)->select({*match}, {});
  CHECK(set.has_value());
  std::vector<std::string> out;
  for (model::SeriesColumns columns; (*set)->next(columns);) {
    std::string line = columns.labels.to_string();
    for (size_t i = 0; i < columns.values.size(); ++i) {
      const double at = static_cast<double>(columns.timestamps_ms[i] - origin_ms) / 1000;
      line += model::is_stale(columns.values[i]) ? fmt::format(" stale@{}", at)
                                                 : fmt::format(" {}@{}", columns.values[i], at);
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace binnacle::collect::scrape
