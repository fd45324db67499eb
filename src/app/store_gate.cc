#include "app/store_gate.h"

#include <fmt/format.h>

namespace binnacle::app {
namespace {

using store::metrics::MetricStore;

class RefusingAppender final : public model::Appender {
 public:
  explicit RefusingAppender(Error why) : why_(std::move(why)) {}
  Result<model::SeriesRef> append(model::SeriesRef, model::LabelsView, model::Sample) override {
    return fail(why_);
  }
  Result<model::CommitReport> commit() override { return fail(why_); }
  void rollback() override {}

 private:
  const Error why_;
};

// Keeps the store as long as the batch lives.
class HoldingAppender final : public model::Appender {
 public:
  explicit HoldingAppender(std::shared_ptr<MetricStore> store)
      : store_(std::move(store)), appender_(store_->appender()) {}
  Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                  model::Sample sample) override {
    return appender_->append(ref, labels, sample);
  }
  size_t append_known(std::span<const model::KnownSample> samples) override {
    return appender_->append_known(samples);
  }
  void append_metadata(std::string_view metric, const model::MetricMetadata& words) override {
    appender_->append_metadata(metric, words);
  }
  Result<model::CommitReport> commit() override { return appender_->commit(); }
  void rollback() override { appender_->rollback(); }

 private:
  const std::shared_ptr<MetricStore> store_;
  const std::unique_ptr<model::Appender> appender_;
};

}  // namespace

Status StoreGate::loading() const {
  const uint64_t total = progress_.total_bytes;
  const uint64_t done = progress_.done_bytes;
  return fail(Code::kUnavailable,
              total == 0 ? "the metric store is being loaded"
                         : fmt::format("the metric store is being loaded: {} of {} MB of its log",
                                       done / 1'000'000, total / 1'000'000));
}

Status StoreGate::refusal() const {
  MutexLock lock(mu_);
  if (closed_) return fail(Code::kUnavailable, "the metric store is closed: the server is ending");
  return store_ == nullptr ? loading() : Status();
}

std::unique_ptr<model::Appender> StoreGate::appender() {
  if (const Status refused = refusal(); !refused)
    return std::make_unique<RefusingAppender>(refused.error());
  return std::make_unique<HoldingAppender>(store());
}

Result<std::unique_ptr<model::Querier>> StoreGate::querier(int64_t min_ms, int64_t max_ms) {
  const auto store = this->store();
  if (store == nullptr) return fail(loading().error());
  return store->querier(min_ms, max_ms);
}

void StoreGate::open(std::unique_ptr<MetricStore> store) {
  MutexLock lock(mu_);
  store_ = std::move(store);
}

void StoreGate::close() {
  {
    MutexLock lock(mu_);
    closed_ = true;
  }
  if (const auto store = this->store()) store->stop();
}

std::shared_ptr<MetricStore> StoreGate::store() const {
  MutexLock lock(mu_);
  return store_;
}

Status StoreGate::status() const {
  TRY(refusal());
  return store()->writable();
}

}  // namespace binnacle::app
