#include "store/metrics/linear_store.h"

#include <algorithm>
#include <bit>
#include <set>

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::LabelsView;
using model::Matchers;
using model::Sample;
using model::SeriesRef;

struct Copy {
  Labels labels;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

class CopiedSet final : public model::SeriesSet {
 public:
  explicit CopiedSet(std::vector<Copy> series) : series_(std::move(series)) {}

  bool next(model::SeriesColumns& out) override {
    if (at_ == series_.size()) return false;
    const Copy& copy = series_[at_++];
    out = {copy.labels.view(), copy.times_ms, copy.values, 0};
    return true;
  }
  Status status() const override { return {}; }

 private:
  const std::vector<Copy> series_;
  size_t at_ = 0;
};

std::vector<std::string> first_of(const std::set<std::string>& sorted, size_t limit) {
  const size_t count = limit == 0 ? sorted.size() : std::min(limit, sorted.size());
  return {sorted.begin(), std::next(sorted.begin(), static_cast<ptrdiff_t>(count))};
}

}  // namespace

class LinearStore::Batch final : public model::Appender {
 public:
  explicit Batch(LinearStore& store) : store_(store) {}

  Result<SeriesRef> append(SeriesRef ref, LabelsView labels, Sample sample) override {
    const size_t index = appended_++;
    TRY_ASSIGN(const SeriesRef known, store_.resolve(ref, labels));
    pending_.push_back({index, known - 1, sample});
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
  LinearStore& store_;
  std::vector<Pending> pending_;
  size_t appended_ = 0;
};

class LinearStore::View final : public model::Querier {
 public:
  View(LinearStore& store, int64_t min_ms, int64_t max_ms)
      : store_(store), min_ms_(min_ms), max_ms_(max_ms) {}

  void charge_to(model::ReadBudget& budget) override { budget_ = &budget; }

  Result<std::unique_ptr<model::SeriesSet>> select(const Matchers& matchers,
                                                   const model::SelectHints& hints) override {
    TRY_ASSIGN(std::vector<Copy> copies, matching(matchers));
    if (hints.limit != 0 && copies.size() > hints.limit) copies.resize(hints.limit);
    return std::make_unique<CopiedSet>(std::move(copies));
  }

  Result<std::vector<std::string>> label_names(const Matchers& matchers, size_t limit) override {
    std::set<std::string> names;
    TRY_ASSIGN(const std::vector<Copy> copies, matching(matchers));
    for (const Copy& copy : copies) {
      for (const model::Label& label : copy.labels) names.emplace(label.name);
    }
    return first_of(names, limit);
  }

  Result<std::vector<std::string>> label_values(std::string_view name, const Matchers& matchers,
                                                size_t limit) override {
    std::set<std::string> values;
    TRY_ASSIGN(const std::vector<Copy> copies, matching(matchers));
    for (const Copy& copy : copies) {
      if (const auto value = copy.labels.get(name); !value.empty()) values.emplace(value);
    }
    return first_of(values, limit);
  }

 private:
  // With samples in the range, in label order.
  Result<std::vector<Copy>> matching(const Matchers& matchers) const {
    if (budget_ != nullptr) TRY(budget_->check());
    std::vector<Copy> copies;
    MutexLock lock(store_.mu_);
    for (const Series& series : store_.series_) {
      if (!model::matches_all(matchers, series.labels)) continue;
      Copy copy{series.labels, {}, {}};
      for (const auto& [at_ms, value] : series.samples) {
        if (at_ms < min_ms_ || at_ms > max_ms_) continue;
        copy.times_ms.push_back(at_ms);
        copy.values.push_back(value);
      }
      if (!copy.times_ms.empty()) copies.push_back(std::move(copy));
    }
    std::sort(copies.begin(), copies.end(),
              [](const Copy& a, const Copy& b) { return model::compare(a.labels, b.labels) < 0; });
    return copies;
  }

  LinearStore& store_;
  const int64_t min_ms_;
  const int64_t max_ms_;
  model::ReadBudget* budget_ = nullptr;  // whether to go on; nothing is charged
};

LinearStore::LinearStore(const Clock& clock, StoreLimits limits) : clock_(clock), limits_(limits) {}

LinearStore::~LinearStore() = default;

std::unique_ptr<model::Appender> LinearStore::appender() { return std::make_unique<Batch>(*this); }

Result<std::unique_ptr<model::Querier>> LinearStore::querier(int64_t min_ms, int64_t max_ms) {
  return std::make_unique<View>(*this, min_ms, max_ms);
}

Result<SeriesRef> LinearStore::resolve(SeriesRef ref, LabelsView labels) {
  MutexLock lock(mu_);
  if (ref != model::kNoSeries && ref <= series_.size()) return ref;
  for (size_t i = 0; i < series_.size(); ++i) {
    if (series_[i].labels.view() == labels) return i + 1;
  }
  if (labels.empty()) return fail(Code::kNotFound, "append: the series was forgotten");
  if (series_.size() >= limits_.max_series)
    return fail(Code::kResourceExhausted, "append: too many series (storage.max_series)");
  series_.push_back({Labels(labels), {}, INT64_MIN});
  return series_.size();
}

Status LinearStore::take(Series& series, Sample sample) const {
  const int64_t now_ms = clock_.wall_ms();
  const int64_t at_ms = sample.timestamp_ms;
  if (at_ms - now_ms > limits_.max_ahead_ms) return fail(Code::kOutOfRange, "too far ahead");
  if (at_ms < now_ms - limits_.late_limit_ms) return fail(Code::kOutOfRange, "too old");
  const auto there = series.samples.find(at_ms);
  if (there != series.samples.end()) {
    const bool same =
        std::bit_cast<uint64_t>(there->second) == std::bit_cast<uint64_t>(sample.value);
    if (!same && !limits_.last_value_wins) return fail(Code::kAlreadyExists, "another value");
  } else if (at_ms < series.newest_ms && series.newest_ms - at_ms > limits_.out_of_order_ms) {
    return fail(Code::kOutOfRange, "out of order");
  }
  series.samples[at_ms] = sample.value;
  series.newest_ms = std::max(series.newest_ms, at_ms);
  return {};
}

model::CommitReport LinearStore::apply(const std::vector<Pending>& batch) {
  model::CommitReport report;
  MutexLock lock(mu_);
  for (const Pending& pending : batch) {
    if (auto taken = take(series_[pending.series], pending.sample); taken) {
      ++report.stored;
    } else {
      report.refused.push_back({pending.index, std::move(taken).error()});
    }
  }
  return report;
}

void LinearStore::delete_series(const Matchers& matchers, int64_t min_ms, int64_t max_ms) {
  MutexLock lock(mu_);
  for (Series& series : series_) {
    if (!model::matches_all(matchers, series.labels)) continue;
    std::erase_if(series.samples, [&](const auto& sample) {
      return sample.first >= min_ms && sample.first <= max_ms;
    });
    series.newest_ms = series.samples.empty() ? INT64_MIN : series.samples.rbegin()->first;
  }
}

}  // namespace binnacle::store::metrics
