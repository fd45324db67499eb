#include "collect/ship/queue_appendable.h"

#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "base/mutex.h"

namespace binnacle::collect::ship {

struct QueueAppendable::Table {
  Table(SampleQueue& q, QueueAppendableOptions opts, const Clock& c, Registry& registry)
      : queue(q),
        options(opts),
        clock(c),
        series_gauge(registry.gauge("binnacle_ship_queue_series",
                                    "Series that the agent's queue knows the labels of.")),
        refused(registry.counter("binnacle_ship_queue_series_refused_total",
                                 "Samples of series beyond the queue's most series.")) {}

  struct Series {
    std::string labels;
    int64_t last_used_ms = 0;
  };

  Result<model::SeriesRef> resolve(model::SeriesRef ref, model::LabelsView labels) EXCLUDES(mu);
  void forget_unused(int64_t now_ms) REQUIRES(mu);
  bool append_labels(model::SeriesRef ref, std::string& packed) EXCLUDES(mu);
  void note_metadata(std::string_view metric, const model::MetricMetadata& words) EXCLUDES(mu);

  // Fixed after construction.
  SampleQueue& queue;
  const QueueAppendableOptions options;
  const Clock& clock;
  Gauge& series_gauge;
  Counter& refused;

  mutable Mutex mu;
  std::unordered_map<model::SeriesRef, Series> by_ref GUARDED_BY(mu);
  std::unordered_map<std::string_view, model::SeriesRef> by_labels GUARDED_BY(mu);  // of by_ref
  model::SeriesRef next_ref GUARDED_BY(mu) = 1;
  int64_t last_forget_ms GUARDED_BY(mu) = 0;
  std::map<std::string, model::MetricMetadata, std::less<>> metadata GUARDED_BY(mu);
};

Result<model::SeriesRef> QueueAppendable::Table::resolve(model::SeriesRef ref,
                                                         model::LabelsView labels) {
  const int64_t now_ms = clock.monotonic_ms();
  const MutexLock held(mu);
  if (ref != model::kNoSeries) {
    if (const auto known = by_ref.find(ref); known != by_ref.end()) {
      known->second.last_used_ms = now_ms;
      return ref;
    }
  }
  if (labels.empty()) return fail(Code::kNotFound, fmt::format("series {}: forgotten", ref));
  if (const auto known = by_labels.find(labels.packed()); known != by_labels.end()) {
    by_ref.at(known->second).last_used_ms = now_ms;
    return known->second;
  }
  if (by_ref.size() >= options.max_series) forget_unused(now_ms);
  if (by_ref.size() >= options.max_series) {
    refused.add();
    return fail(Code::kResourceExhausted,
                fmt::format("series {}: the queue knows {} series already, its most",
                            labels.to_string(), options.max_series));
  }
  const model::SeriesRef fresh = next_ref++;
  const auto made = by_ref.emplace(fresh, Series{std::string(labels.packed()), now_ms}).first;
  by_labels.emplace(made->second.labels, fresh);
  series_gauge.set(static_cast<double>(by_ref.size()));
  return fresh;
}

// At most once a second: a full table of series in use is not walked for each new one.
void QueueAppendable::Table::forget_unused(int64_t now_ms) {
  constexpr int64_t kPauseMs = 1000;
  if (last_forget_ms != 0 && now_ms - last_forget_ms < kPauseMs) return;
  last_forget_ms = now_ms;
  for (auto it = by_ref.begin(); it != by_ref.end();) {
    const bool unused = now_ms - it->second.last_used_ms >= options.forget_after_ms;
    if (unused) by_labels.erase(it->second.labels);
    it = unused ? by_ref.erase(it) : std::next(it);
  }
}

bool QueueAppendable::Table::append_labels(model::SeriesRef ref, std::string& packed) {
  const MutexLock held(mu);
  const auto known = by_ref.find(ref);
  if (known == by_ref.end()) return false;
  packed += known->second.labels;
  return true;
}

void QueueAppendable::Table::note_metadata(std::string_view metric,
                                           const model::MetricMetadata& words) {
  const MutexLock held(mu);
  const auto known = metadata.find(metric);
  if (known != metadata.end()) {
    if (!(known->second == words)) known->second = words;
  } else if (metadata.size() < options.max_metadata) {
    metadata.emplace(metric, words);
  }
}

class QueueAppendable::Batch final : public model::Appender {
 public:
  explicit Batch(Table& table) : table_(table) {}

  Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                  model::Sample sample) override {
    TRY_ASSIGN(const model::SeriesRef known, table_.resolve(ref, labels));
    samples_.push_back({known, sample});
    return known;
  }

  void append_metadata(std::string_view metric, const model::MetricMetadata& words) override {
    table_.note_metadata(metric, words);
  }

  Result<model::CommitReport> commit() override {
    const Status queued =
        table_.queue.append(samples_, [this](model::SeriesRef ref, std::string& packed) {
          return table_.append_labels(ref, packed);
        });
    model::CommitReport report;
    report.stored = samples_.size();
    rollback();
    TRY(queued);
    return report;
  }

  void rollback() override { samples_.clear(); }

 private:
  Table& table_;
  std::vector<model::KnownSample> samples_;
};

QueueAppendable::QueueAppendable(SampleQueue& queue, QueueAppendableOptions options,
                                 const Clock& clock, Registry& registry)
    : table_(std::make_unique<Table>(queue, options, clock, registry)) {}

QueueAppendable::~QueueAppendable() = default;

std::unique_ptr<model::Appender> QueueAppendable::appender() {
  return std::make_unique<Batch>(*table_);
}

std::vector<std::pair<std::string, model::MetricMetadata>> QueueAppendable::metadata() const {
  const MutexLock held(table_->mu);
  return {table_->metadata.begin(), table_->metadata.end()};
}

size_t QueueAppendable::series() const {
  const MutexLock held(table_->mu);
  return table_->by_ref.size();
}

}  // namespace binnacle::collect::ship
