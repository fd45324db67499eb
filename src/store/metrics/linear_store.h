// The slow and obvious metric store: every series a map, every question a walk over all of them.
// It is what the tests hold the real one against, and what other rooms' tests put behind the seams.
// Any thread; one lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "model/appender.h"
#include "model/querier.h"
#include "store/metrics/store_limits.h"

namespace binnacle::store::metrics {

class LinearStore final : public model::Appendable, public model::Queryable {
 public:
  explicit LinearStore(const Clock& clock, StoreLimits limits = {});
  ~LinearStore() override;

  std::unique_ptr<model::Appender> appender() override;
  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override;

  void delete_series(const model::Matchers& matchers, int64_t min_ms, int64_t max_ms) EXCLUDES(mu_);

 private:
  class Batch;
  class View;
  struct Series {
    model::Labels labels;
    std::map<int64_t, double> samples;
    int64_t newest_ms = INT64_MIN;
  };
  struct Pending {
    size_t index = 0;
    size_t series = 0;
    model::Sample sample;
  };

  Result<model::SeriesRef> resolve(model::SeriesRef ref, model::LabelsView labels) EXCLUDES(mu_);
  model::CommitReport apply(const std::vector<Pending>& batch) EXCLUDES(mu_);
  Status take(Series& series, model::Sample sample) const;

  // Fixed after construction.
  const Clock& clock_;
  const StoreLimits limits_;

  mutable Mutex mu_;
  std::vector<Series> series_ GUARDED_BY(mu_);  // a ref is the place here, counted from 1
};

}  // namespace binnacle::store::metrics
