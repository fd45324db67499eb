// Stands for the metric store while that is being loaded: the page and the probes are served from
// the first moment, samples and queries are put off with the progress as the reason. Any thread.
#pragma once

#include <memory>

#include "base/mutex.h"
#include "store/metrics/metric_store.h"

namespace binnacle::app {

class StoreGate final : public model::Appendable, public model::Queryable {
 public:
  std::unique_ptr<model::Appender> appender() override;
  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override;

  store::metrics::StoreProgress& progress() { return progress_; }
  void open(std::unique_ptr<store::metrics::MetricStore> store) EXCLUDES(mu_);
  // Stops the store: no batch begins from then on. Those who have the store may still read.
  void close() EXCLUDES(mu_);
  // Null until it is open. Shared with requests in flight.
  std::shared_ptr<store::metrics::MetricStore> store() const EXCLUDES(mu_);
  // Of readiness: loaded, and writable.
  Status status() const EXCLUDES(mu_);

 private:
  Status loading() const;
  Status refusal() const EXCLUDES(mu_);  // why no batch begins; good when one may

  store::metrics::StoreProgress progress_;
  mutable Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::shared_ptr<store::metrics::MetricStore> store_ GUARDED_BY(mu_);
};

}  // namespace binnacle::app
