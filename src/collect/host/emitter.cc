#include "collect/host/emitter.h"

#include "base/check.h"

namespace binnacle::collect::host {
namespace {

template <typename T>
void append_bytes(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

Emitter::Emitter(model::Labels extra, size_t max_series)
    : extra_(std::move(extra)), max_series_(max_series) {}

void Emitter::begin_batch(model::Appender& appender, int64_t timestamp_ms) {
  appender_ = &appender;
  timestamp_ms_ = timestamp_ms;
}

void Emitter::begin_part(size_t part) {
  if (part >= parts_.size()) parts_.resize(part + 1);
  part_ = part;
  parts_[part].seen_in_run = 0;
  ++run_;
}

void Emitter::emit(const Metric& metric, std::span<const std::string_view> label_values,
                   double value) {
  CHECK(label_values.size() == metric.labels.size());
  CHECK(appender_ != nullptr);
  set_key(metric, label_values);
  const auto found = series_.find(std::string_view(key_));
  note(found == series_.end() ? create(metric, label_values) : &found->second, value);
}

// The key begins with no metric, so that it meets none of emit()'s.
void Emitter::emit_labels(model::LabelsView labels, double value) {
  CHECK(appender_ != nullptr);
  key_.clear();
  append_bytes(key_, static_cast<const Metric*>(nullptr));
  append_bytes(key_, part_);
  key_.append(labels.packed());
  const auto found = series_.find(std::string_view(key_));
  if (found != series_.end()) return note(&found->second, value);
  model::LabelsBuilder all(extra_.view());
  for (const model::Label& label : labels) all.set(label.name, label.value);
  note(insert(all.build()), value);
}

void Emitter::note(Series* series, double value) {
  if (series == nullptr) {
    ++refused_;
    return;
  }
  CHECK(series->part == part_);
  if (series->seen_in_run == run_) return;
  series->seen_in_run = run_;
  ++parts_[part_].seen_in_run;
  append(*series, value);
}

// Lengths stand before the values, so that ("ab", "c") and ("a", "bc") are two series.
void Emitter::set_key(const Metric& metric, std::span<const std::string_view> label_values) {
  key_.clear();
  append_bytes(key_, &metric);
  for (const std::string_view value : label_values) {
    append_bytes(key_, value.size());
    key_.append(value);
  }
}

Emitter::Series* Emitter::create(const Metric& metric,
                                 std::span<const std::string_view> label_values) {
  model::LabelsBuilder labels(extra_.view());
  labels.set(model::kMetricName, metric.name);
  for (size_t i = 0; i < label_values.size(); ++i) labels.set(metric.labels[i], label_values[i]);
  Series* const series = insert(labels.build());
  if (series != nullptr) remember(metric);
  return series;
}

Emitter::Series* Emitter::insert(model::Labels labels) {
  if (series_.size() >= max_series_) return nullptr;
  ++parts_[part_].live;
  Series series{.labels = std::move(labels), .part = part_};
  return &series_.emplace(key_, std::move(series)).first->second;
}

void Emitter::append(Series& series, double value) {
  const auto ref = appender_->append(series.ref, series.labels, {timestamp_ms_, value});
  if (ref) {
    series.ref = *ref;
  } else {
    ++refused_;
  }
}

void Emitter::end_part() {
  PartState& part = parts_[part_];
  if (part.seen_in_run == part.live) return;
  for (auto it = series_.begin(); it != series_.end();) {
    Series& series = it->second;
    if (series.part != part_ || series.seen_in_run == run_) {
      ++it;
      continue;
    }
    append(series, model::stale_nan());
    it = series_.erase(it);
  }
  part.live = part.seen_in_run;
}

const Metric& Emitter::named(std::string name, std::string help, model::MetricType type) {
  if (const auto found = named_by_name_.find(name); found != named_by_name_.end()) {
    return *found->second;
  }
  NamedMetric& added = named_.emplace_back(NamedMetric{std::move(name), std::move(help), {}});
  added.metric = {added.name, added.help, type};
  named_by_name_.emplace(added.name, &added.metric);
  return added.metric;
}

void Emitter::remember(const Metric& metric) {
  MutexLock lock(mu_);
  if (metadata_.contains(metric.name)) return;
  std::string name(metric.name);
  metadata_.emplace(name, MetricInfo{name, std::string(metric.help), metric.type});
}

void Emitter::describe(std::string_view name, std::string_view help, model::MetricType type) {
  MutexLock lock(mu_);
  if (metadata_.contains(name) || metadata_.size() >= kMaxDescribed) return;
  metadata_.emplace(name, MetricInfo{std::string(name), std::string(help), type});
}

std::vector<MetricInfo> Emitter::metadata() const {
  MutexLock lock(mu_);
  std::vector<MetricInfo> all;
  all.reserve(metadata_.size());
  for (const auto& [name, info] : metadata_) all.push_back(info);
  return all;
}

}  // namespace binnacle::collect::host
