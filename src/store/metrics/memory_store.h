// A metric store in memory alone: recent samples of a bounded number of series, gone with the
// process. It stands behind the seams of model/ (Appendable, Queryable). Any thread; one lock, held
// for the length of a commit or of copying out a selection. A batch becomes visible whole, a query
// sees one state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "model/appender.h"
#include "model/querier.h"

namespace binnacle::store::metrics {

struct MemoryStoreOptions {
  int64_t retention_ms = 3'600'000;  // older samples are dropped; a series without samples is too
  size_t max_series = 100'000;       // a new series beyond is refused with kResourceExhausted
  int64_t max_ahead_ms = 600'000;    // samples further in the future are refused with kOutOfRange
};

class MemoryStore final : public model::Appendable, public model::Queryable {
 public:
  // Registers binnacle_store_series, binnacle_store_samples_total and
  // binnacle_store_refused_total{reason}.
  MemoryStore(MemoryStoreOptions options, const Clock& clock, Registry& registry);
  ~MemoryStore() override;

  std::unique_ptr<model::Appender> appender() override;
  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override;

  void set_options(MemoryStoreOptions options) EXCLUDES(mu_);
  size_t series_count() const EXCLUDES(mu_);

 private:
  class Batch;
  class View;
  struct Series;
  using SeriesPtr =
      std::shared_ptr<Series>;  // shared: a batch keeps what it resolved while a sweep drops it
  struct Pending {
    size_t index = 0;
    SeriesPtr series;
    model::Sample sample;
  };

  Result<SeriesPtr> resolve(model::SeriesRef ref, model::LabelsView labels) EXCLUDES(mu_);
  // The series of those labels, which is `series` itself when there was none.
  SeriesPtr keep(const SeriesPtr& series) REQUIRES(mu_);
  Status check(const Series& series, model::Sample sample, int64_t now_ms) const REQUIRES(mu_);
  model::CommitReport apply(const std::vector<Pending>& batch) EXCLUDES(mu_);
  void drop_expired(int64_t now_ms) REQUIRES(mu_);
  std::vector<SeriesPtr> matching(const model::Matchers& matchers) const REQUIRES(mu_);

  // Fixed after construction.
  const Clock& clock_;
  Gauge& series_gauge_;
  Counter& samples_total_;
  Counter& refused_series_limit_;
  Counter& refused_out_of_order_;
  Counter& refused_too_old_;
  Counter& refused_too_far_ahead_;

  mutable Mutex mu_;
  MemoryStoreOptions options_ GUARDED_BY(mu_);
  std::unordered_map<model::SeriesRef, SeriesPtr> by_ref_ GUARDED_BY(mu_);
  std::unordered_map<std::string, SeriesPtr> by_labels_ GUARDED_BY(mu_);  // packed label bytes
  std::unordered_map<std::string, std::vector<SeriesPtr>> by_name_ GUARDED_BY(mu_);
  model::SeriesRef next_ref_ GUARDED_BY(mu_) = 1;
  int64_t next_sweep_ms_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::store::metrics
