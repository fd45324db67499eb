#include "collect/scrape/derived_series.h"

#include "collect/scrape/sample_labels.h"

namespace binnacle::collect::scrape {

void DerivedSeries::begin(int64_t time_ms, model::Appender& to) {
  ++pass_;
  time_ms_ = time_ms;
  to_ = &to;
}

void DerivedSeries::append(model::LabelsView labels, double value) {
  key_ = labels.packed();
  auto at = series_.find(key_);
  if (at == series_.end()) {
    if (series_.size() >= kMaxSeries) return;
    Series series;
    series.labels = join_labels(labels, target_, false).build();
    at = series_.emplace(key_, std::move(series)).first;
  }
  Series& series = at->second;
  if (series.pass == pass_) return;
  if (const auto ref = to_->append(series.ref, series.labels, {time_ms_, value})) {
    series.ref = *ref;
    series.pass = pass_;
  }
}

size_t DerivedSeries::finish() {
  size_t ended = 0;
  for (auto at = series_.begin(); at != series_.end();) {
    if (at->second.pass == pass_) {
      ++at;
      continue;
    }
    if (at->second.ref != model::kNoSeries &&
        to_->append(at->second.ref, {}, {time_ms_, model::stale_nan()}))
      ++ended;
    at = series_.erase(at);
  }
  to_ = nullptr;
  return ended;
}

size_t DerivedSeries::end_all(int64_t time_ms, model::Appender& to) {
  begin(time_ms, to);
  return finish();
}

}  // namespace binnacle::collect::scrape
