#include "store/metrics/memory_store.h"

#include <algorithm>
#include <bit>
#include <set>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::LabelsView;
using model::Sample;
using model::SeriesRef;

constexpr int64_t kSweepEveryMs = 60'000;

bool same_bits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

// One series' columns, copied out so that a query holds no lock while it computes.
struct Copy {
  Labels labels;
  std::vector<int64_t> timestamps;
  std::vector<double> values;
};

class CopiedSet final : public model::SeriesSet {
 public:
  explicit CopiedSet(std::vector<Copy> series) : series_(std::move(series)) {}

  bool next(model::SeriesColumns& out) override {
    if (at_ == series_.size()) return false;
    const Copy& copy = series_[at_++];
    out = {copy.labels.view(), copy.timestamps, copy.values, 0};
    return true;
  }
  Status status() const override { return {}; }

 private:
  const std::vector<Copy> series_;
  size_t at_ = 0;
};

std::vector<std::string> first_of(const std::set<std::string>& sorted, size_t limit) {
  std::vector<std::string> out;
  for (const std::string& text : sorted) {
    if (limit != 0 && out.size() == limit) break;
    out.push_back(text);
  }
  return out;
}

Counter& refused(Registry& registry, std::string reason) {
  return registry.counter("binnacle_store_refused_total",
                          "Samples that the metric store refused, by reason.",
                          {{"reason", std::move(reason)}});
}

}  // namespace

struct MemoryStore::Series {
  Series(SeriesRef r, LabelsView l) : ref(r), labels(l) {}

  const SeriesRef ref;
  const Labels labels;
  // Guarded by the store's mutex. Live samples begin at `first`; what stands before waits to be
  // erased at once.
  size_t first = 0;
  std::vector<int64_t> timestamps;
  std::vector<double> values;

  bool empty() const { return first == timestamps.size(); }

  void drop_before(int64_t min_ms) {
    while (first < timestamps.size() && timestamps[first] < min_ms) ++first;
    if (first * 2 <= timestamps.size()) return;
    timestamps.erase(timestamps.begin(), timestamps.begin() + static_cast<ptrdiff_t>(first));
    values.erase(values.begin(), values.begin() + static_cast<ptrdiff_t>(first));
    first = 0;
  }

  Copy copy(int64_t min_ms, int64_t max_ms, bool labels_only) const {
    Copy out{labels, {}, {}};
    if (labels_only) return out;
    const auto begin = timestamps.begin() + static_cast<ptrdiff_t>(first);
    const auto from = std::lower_bound(begin, timestamps.end(), min_ms);
    const auto to = std::upper_bound(from, timestamps.end(), max_ms);
    out.timestamps.assign(from, to);
    out.values.assign(values.begin() + (from - timestamps.begin()),
                      values.begin() + (to - timestamps.begin()));
    return out;
  }

  bool overlaps(int64_t min_ms, int64_t max_ms) const {
    return !empty() && timestamps.back() >= min_ms && timestamps[first] <= max_ms;
  }
};

class MemoryStore::Batch final : public model::Appender {
 public:
  explicit Batch(MemoryStore& store) : store_(store) {}

  Result<SeriesRef> append(SeriesRef ref, LabelsView labels, Sample sample) override {
    const size_t index = appended_++;
    TRY_ASSIGN(SeriesPtr series, store_.resolve(ref, labels));
    const SeriesRef known = series->ref;
    pending_.push_back({index, std::move(series), sample});
    return known;
  }

  Result<model::CommitReport> commit() override {
    model::CommitReport report = store_.apply(pending_);
    rollback();
    return report;
  }

  void rollback() override {
    pending_.clear();
    appended_ = 0;
  }

 private:
  MemoryStore& store_;
  std::vector<Pending> pending_;
  size_t appended_ = 0;
};

class MemoryStore::View final : public model::Querier {
 public:
  View(MemoryStore& store, int64_t min_ms, int64_t max_ms)
      : store_(store), min_ms_(min_ms), max_ms_(max_ms) {}

  Result<std::unique_ptr<model::SeriesSet>> select(const model::Matchers& matchers,
                                                   const model::SelectHints& hints) override {
    std::vector<Copy> copies;
    {
      MutexLock lock(store_.mu_);
      for (const auto& series : store_.matching(matchers)) {
        if (!series->overlaps(min_ms_, max_ms_)) continue;
        copies.push_back(series->copy(min_ms_, max_ms_, hints.series_only));
      }
    }
    std::sort(copies.begin(), copies.end(),
              [](const Copy& a, const Copy& b) { return model::compare(a.labels, b.labels) < 0; });
    if (hints.limit != 0 && copies.size() > hints.limit) copies.resize(hints.limit);
    return std::make_unique<CopiedSet>(std::move(copies));
  }

  Result<std::vector<std::string>> label_names(const model::Matchers& matchers,
                                               size_t limit) override {
    std::set<std::string> names;
    visit(matchers, [&](LabelsView labels) {
      for (const model::Label& label : labels) names.emplace(label.name);
    });
    return first_of(names, limit);
  }

  Result<std::vector<std::string>> label_values(std::string_view name,
                                                const model::Matchers& matchers,
                                                size_t limit) override {
    std::set<std::string> values;
    visit(matchers, [&](LabelsView labels) {
      if (const auto value = labels.get(name); !value.empty()) values.emplace(value);
    });
    return first_of(values, limit);
  }

 private:
  template <typename Visit>
  void visit(const model::Matchers& matchers, const Visit& visit_labels) {
    MutexLock lock(store_.mu_);
    for (const auto& series : store_.matching(matchers)) {
      if (series->overlaps(min_ms_, max_ms_)) visit_labels(series->labels);
    }
  }

  MemoryStore& store_;
  const int64_t min_ms_;
  const int64_t max_ms_;
};

MemoryStore::MemoryStore(MemoryStoreOptions options, const Clock& clock, Registry& registry)
    : clock_(clock),
      series_gauge_(
          registry.gauge("binnacle_store_series", "Series with samples in the metric store.")),
      samples_total_(
          registry.counter("binnacle_store_samples_total", "Samples taken into the metric store.")),
      refused_series_limit_(refused(registry, "series_limit")),
      refused_out_of_order_(refused(registry, "out_of_order")),
      refused_too_old_(refused(registry, "too_old")),
      refused_too_far_ahead_(refused(registry, "too_far_ahead")),
      options_(options) {}

MemoryStore::~MemoryStore() = default;

std::unique_ptr<model::Appender> MemoryStore::appender() { return std::make_unique<Batch>(*this); }

Result<std::unique_ptr<model::Querier>> MemoryStore::querier(int64_t min_ms, int64_t max_ms) {
  return std::make_unique<View>(*this, min_ms, max_ms);
}

void MemoryStore::set_options(MemoryStoreOptions options) {
  MutexLock lock(mu_);
  options_ = options;
}

size_t MemoryStore::series_count() const {
  MutexLock lock(mu_);
  return by_ref_.size();
}

Result<MemoryStore::SeriesPtr> MemoryStore::resolve(SeriesRef ref, LabelsView labels) {
  MutexLock lock(mu_);
  if (const auto it = by_ref_.find(ref); it != by_ref_.end()) return it->second;
  if (ref != model::kNoSeries && labels.empty())
    return fail(Code::kNotFound, fmt::format("append: no series has the reference {}", ref));
  if (const auto it = by_labels_.find(std::string(labels.packed())); it != by_labels_.end())
    return it->second;
  if (by_ref_.size() >= options_.max_series) {
    refused_series_limit_.add();
    return fail(Code::kResourceExhausted,
                fmt::format("append {}: the store holds its {} series (storage.max_series)",
                            labels.to_string(), options_.max_series));
  }
  return keep(std::make_shared<Series>(next_ref_++, labels));
}

MemoryStore::SeriesPtr MemoryStore::keep(const SeriesPtr& series) {
  const auto [it, fresh] = by_labels_.try_emplace(series->labels.packed(), series);
  if (fresh) {
    by_name_[std::string(series->labels.metric_name())].push_back(series);
    by_ref_.emplace(series->ref, series);
    series_gauge_.set(static_cast<double>(by_ref_.size()));
  }
  return it->second;
}

Status MemoryStore::check(const Series& series, Sample sample, int64_t now_ms) const {
  if (sample.timestamp_ms > now_ms + options_.max_ahead_ms) {
    refused_too_far_ahead_.add();
    return fail(Code::kOutOfRange,
                fmt::format("append {}: {} is more than {} s ahead of this server's clock",
                            series.labels.to_string(), format_rfc3339(sample.timestamp_ms),
                            options_.max_ahead_ms / 1000));
  }
  if (sample.timestamp_ms < now_ms - options_.retention_ms) {
    refused_too_old_.add();
    return fail(Code::kOutOfRange,
                fmt::format("append {}: {} is older than the {} s kept in memory",
                            series.labels.to_string(), format_rfc3339(sample.timestamp_ms),
                            options_.retention_ms / 1000));
  }
  if (series.empty() || sample.timestamp_ms > series.timestamps.back()) return {};
  const auto at =
      std::lower_bound(series.timestamps.begin(), series.timestamps.end(), sample.timestamp_ms);
  if (*at == sample.timestamp_ms &&
      same_bits(sample.value, series.values[static_cast<size_t>(at - series.timestamps.begin())]))
    return {};
  refused_out_of_order_.add();
  return fail(
      Code::kAlreadyExists,
      fmt::format("append {}: {} is not newer than the newest sample {}", series.labels.to_string(),
                  format_rfc3339(sample.timestamp_ms), format_rfc3339(series.timestamps.back())));
}

model::CommitReport MemoryStore::apply(const std::vector<Pending>& batch) {
  const int64_t now_ms = clock_.wall_ms();
  MutexLock lock(mu_);
  model::CommitReport report;
  for (const auto& [index, resolved, sample] : batch) {
    Series& series = *keep(resolved);
    if (auto fits = check(series, sample, now_ms); !fits) {
      report.refused.push_back({index, std::move(fits).error()});
      continue;
    }
    ++report.stored;
    if (!series.empty() && sample.timestamp_ms <= series.timestamps.back()) continue;
    series.timestamps.push_back(sample.timestamp_ms);
    series.values.push_back(sample.value);
  }
  samples_total_.add(static_cast<double>(report.stored));
  if (now_ms >= next_sweep_ms_) {
    drop_expired(now_ms);
    next_sweep_ms_ = now_ms + kSweepEveryMs;
  }
  return report;
}

void MemoryStore::drop_expired(int64_t now_ms) {
  const int64_t min_ms = now_ms - options_.retention_ms;
  for (auto it = by_ref_.begin(); it != by_ref_.end();) {
    Series& series = *it->second;
    series.drop_before(min_ms);
    if (!series.empty()) {
      ++it;
      continue;
    }
    const std::string name(series.labels.metric_name());
    auto& of_name = by_name_[name];
    std::erase(of_name, it->second);
    if (of_name.empty()) by_name_.erase(name);
    by_labels_.erase(series.labels.packed());
    it = by_ref_.erase(it);
  }
  series_gauge_.set(static_cast<double>(by_ref_.size()));
}

std::vector<MemoryStore::SeriesPtr> MemoryStore::matching(const model::Matchers& matchers) const {
  std::vector<SeriesPtr> out;
  const auto take = [&](const std::vector<SeriesPtr>& from) {
    for (const auto& series : from) {
      if (model::matches_all(matchers, series->labels)) out.push_back(series);
    }
  };
  for (const model::Matcher& matcher : matchers) {
    if (matcher.name() != model::kMetricName || matcher.op() != model::MatchOp::kEqual) continue;
    if (const auto it = by_name_.find(matcher.value()); it != by_name_.end()) take(it->second);
    return out;
  }
  for (const auto& [name, series] : by_name_) take(series);
  return out;
}

}  // namespace binnacle::store::metrics
