#include "app/load_tap.h"

#include <algorithm>
#include <cmath>

namespace binnacle::app {
namespace {

// A series that nobody writes any more tells nothing; an engine that went has a stale marker.
constexpr int64_t kForgetAfterMs = 300'000;
constexpr double kPermille = 1000;

uint32_t whole(double value) {
  return static_cast<uint32_t>(std::clamp(std::round(value), 0.0, 1e9));
}

}  // namespace

class LoadTap::Batch final : public model::Appender {
 public:
  Batch(LoadTap& tap, std::unique_ptr<model::Appender> to) : tap_(tap), to_(std::move(to)) {}

  Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                  model::Sample sample) override {
    auto taken = to_->append(ref, labels, sample);
    if (taken) note(*taken, labels, sample);
    return taken;
  }
  size_t append_known(std::span<const model::KnownSample> samples) override {
    const size_t in = to_->append_known(samples);
    for (const model::KnownSample& known : samples.first(in)) note(known.ref, {}, known.sample);
    return in;
  }
  void append_metadata(std::string_view metric, const model::MetricMetadata& metadata) override {
    to_->append_metadata(metric, metadata);
  }
  Result<model::CommitReport> commit() override {
    auto report = to_->commit();
    if (report && !changes_.empty()) tap_.apply(changes_);
    changes_.clear();
    return report;
  }
  void rollback() override {
    changes_.clear();
    to_->rollback();
  }

 private:
  void note(model::SeriesRef ref, model::LabelsView labels, model::Sample sample) {
    const auto kind = labels.empty() ? tap_.known(ref) : kind_of(labels);
    if (kind) changes_.push_back({ref, *kind, sample});
  }

  LoadTap& tap_;
  const std::unique_ptr<model::Appender> to_;
  std::vector<Change> changes_;
};

std::unique_ptr<model::Appender> LoadTap::appender() {
  return std::make_unique<Batch>(*this, store_.appender());
}

std::optional<link::LoadDigest> LoadTap::digest() const {
  const MutexLock lock(mu_);
  return digest_;
}

std::optional<LoadTap::Kind> LoadTap::kind_of(model::LabelsView labels) {
  const std::string_view metric = labels.get(model::kMetricName);
  if (metric == "llm_requests_running") return Kind::kRunning;
  if (metric == "llm_requests_waiting") return Kind::kWaiting;
  if (metric != "node_cpu_seconds_total") return std::nullopt;
  const std::string_view mode = labels.get("mode");
  return mode == "idle" || mode == "iowait" ? Kind::kCpuIdle : Kind::kCpuBusy;
}

std::optional<LoadTap::Kind> LoadTap::known(model::SeriesRef ref) const {
  const MutexLock lock(mu_);
  const auto it = series_.find(ref);
  if (it == series_.end()) return std::nullopt;
  return it->second.kind;
}

void LoadTap::apply(const std::vector<Change>& changes) {
  const MutexLock lock(mu_);
  double busy = 0;
  double all = 0;
  int64_t newest_ms = 0;
  for (const Change& change : changes) {
    newest_ms = std::max(newest_ms, change.sample.timestamp_ms);
    const auto before = series_.find(change.ref);
    if (std::isnan(change.sample.value)) {
      if (before != series_.end()) series_.erase(before);
      continue;
    }
    const bool cpu = change.kind == Kind::kCpuBusy || change.kind == Kind::kCpuIdle;
    if (cpu && before != series_.end()) {
      const double more = std::max(change.sample.value - before->second.sample.value, 0.0);
      all += more;
      if (change.kind == Kind::kCpuBusy) busy += more;
    }
    series_.insert_or_assign(change.ref, Series{change.kind, change.sample});
  }
  std::erase_if(series_, [newest_ms](const auto& entry) {
    return entry.second.sample.timestamp_ms < newest_ms - kForgetAfterMs;
  });
  link::LoadDigest digest = digest_.value_or(link::LoadDigest{});
  double running = 0;
  double waiting = 0;
  for (const auto& [ref, series] : series_) {
    if (series.kind == Kind::kRunning) running += series.sample.value;
    if (series.kind == Kind::kWaiting) waiting += series.sample.value;
  }
  digest.requests_running = whole(running);
  digest.requests_waiting = whole(waiting);
  if (all > 0) digest.cpu_permille = whole(kPermille * busy / all);
  digest_ = digest;
}

}  // namespace binnacle::app
