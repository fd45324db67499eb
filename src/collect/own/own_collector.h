// Stores this process' own instruments as series, as a scrape of /metrics would, so that its
// history can be queried like any other's. One thread calls collect_once(); refs of known series
// are kept between calls.
#pragma once

#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/log.h"
#include "model/appender.h"

namespace binnacle::collect::own {

class OwnCollector {
 public:
  // All outlive the collector. `labels` (job, instance) are put on every series.
  OwnCollector(Registry& registry, model::Appendable& store, model::Labels labels);

  // Appends every instrument's value at `now_ms`; answers how many samples the store refused.
  Result<size_t> collect_once(int64_t now_ms);

 private:
  // Fixed after construction.
  Registry& registry_;
  model::Appendable& store_;
  const model::Labels labels_;
  Gauge& up_;

  // Caller's thread only. By the packed labels without `labels_`: the whole set and its ref.
  struct Known {
    model::Labels labels;
    model::SeriesRef ref = model::kNoSeries;
  };
  std::unordered_map<std::string, Known> known_;
  std::string key_;
};

}  // namespace binnacle::collect::own
