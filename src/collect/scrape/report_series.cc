#include "collect/scrape/report_series.h"

#include <string_view>

namespace binnacle::collect::scrape {
namespace {

constexpr std::string_view kNames[] = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
};
constexpr size_t kPlain = 5;  // the rest is extra

}  // namespace

ReportSeries::ReportSeries(model::LabelsView target, bool extra) {
  for (size_t i = 0; i < (extra ? std::size(kNames) : kPlain); ++i) {
    model::LabelsBuilder labels(target);
    labels.set(model::kMetricName, kNames[i]);
    series_.push_back({labels.build()});
  }
}

void ReportSeries::append(const ScrapeReport& report, int64_t time_ms, model::Appender& to) {
  const double values[] = {
      report.up ? 1.0 : 0.0,
      report.duration_seconds,
      static_cast<double>(report.scraped),
      static_cast<double>(report.kept),
      static_cast<double>(report.added),
      report.timeout_seconds,
      static_cast<double>(report.sample_limit),
      report.body_bytes,
  };
  static_assert(std::size(values) == std::size(kNames));
  for (size_t i = 0; i < series_.size(); ++i) {
    Series& series = series_[i];
    // A refused one is tried again with the next scrape.
    if (const auto ref = to.append(series.ref, series.labels, {time_ms, values[i]}))
      series.ref = *ref;
  }
}

void ReportSeries::append_stale(int64_t time_ms, model::Appender& to) {
  for (const Series& series : series_) {
    if (series.ref == model::kNoSeries) continue;
    // kNotFound: forgotten by the store, so that there is nothing to end.
    (void)to.append(series.ref, {}, {time_ms, model::stale_nan()});
  }
}

}  // namespace binnacle::collect::scrape
