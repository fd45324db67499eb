// Maps (metric, label values) to series refs of the store and appends samples under them. Labels
// are built when a series is first seen; after that a sample costs one hash look-up and no
// allocation. A series that its part no longer emits gets one stale marker. One thread; only
// metadata() may be called from any.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "collect/host/metric.h"
#include "model/appender.h"
#include "model/labels.h"

namespace binnacle::collect::host {

struct MetricInfo {
  std::string name;
  std::string help;
  model::MetricType type = model::MetricType::kUnknown;
};

class Emitter {
 public:
  // `extra` goes onto every series; a label of the metric's own wins over it.
  Emitter(model::Labels extra, size_t max_series);
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  // For parts. Of one series emitted twice in a run the first counts.
  void emit(const Metric& metric, std::span<const std::string_view> label_values, double value);
  void emit(const Metric& metric, std::initializer_list<std::string_view> label_values,
            double value) {
    emit(metric, std::span(label_values.begin(), label_values.size()), value);
  }
  void emit(const Metric& metric, double value) {
    emit(metric, std::span<const std::string_view>(), value);
  }
  // A series whose name and labels come from outside, `__name__` among them.
  void emit_labels(model::LabelsView labels, double value);
  // What such a metric is; the first word on a name counts, and beyond kMaxDescribed none does.
  void describe(std::string_view name, std::string_view help, model::MetricType type) EXCLUDES(mu_);
  static constexpr size_t kMaxDescribed = 20'000;
  // A metric without labels whose name comes from the kernel; the same name gives the same object,
  // which lives as long as the Emitter.
  const Metric& named(std::string name, std::string help, model::MetricType type);

  // For the PartSet: begin_batch, then begin_part, the part's run and end_part for each part that
  // is due.
  void begin_batch(model::Appender& appender, int64_t timestamp_ms);
  void begin_part(size_t part);
  void end_part();  // stale markers for the part's series that this run did not emit

  size_t series_count() const { return series_.size(); }
  uint64_t refused_samples() const {
    return refused_;
  }  // by the store or by max_series, since the start
  std::vector<MetricInfo> metadata() const
      EXCLUDES(mu_);  // of every metric emitted so far, by name

 private:
  struct Series {
    model::Labels labels;
    model::SeriesRef ref = model::kNoSeries;
    size_t part = 0;
    uint64_t seen_in_run = 0;
  };
  struct PartState {
    size_t live = 0;         // series held
    size_t seen_in_run = 0;  // of them, emitted in this run
  };
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  struct NamedMetric {
    std::string name;
    std::string help;
    Metric metric;
  };
  using SeriesMap = std::unordered_map<std::string, Series, KeyHash, std::equal_to<>>;

  void set_key(const Metric& metric, std::span<const std::string_view> label_values);
  Series* create(const Metric& metric, std::span<const std::string_view> label_values);
  Series* insert(model::Labels labels);
  void note(Series* series, double value);  // null: refused
  void remember(const Metric& metric) EXCLUDES(mu_);
  void append(Series& series, double value);

  // Fixed after construction.
  const model::Labels extra_;
  const size_t max_series_;

  // Collecting thread only.
  SeriesMap series_;
  std::deque<NamedMetric> named_;  // a deque: the metrics' addresses must hold
  std::unordered_map<std::string_view, const Metric*> named_by_name_;  // views into named_
  std::vector<PartState> parts_;
  std::string key_;
  model::Appender* appender_ = nullptr;
  int64_t timestamp_ms_ = 0;
  size_t part_ = 0;
  uint64_t run_ = 0;
  uint64_t refused_ = 0;

  mutable Mutex mu_;
  std::map<std::string, MetricInfo, std::less<>> metadata_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::host
