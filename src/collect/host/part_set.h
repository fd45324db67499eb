// Runs parts that share a thread: those that are due, one batch of samples for all, with duration,
// success and failures of each as own metrics. A part that fails costs the others nothing and is
// logged when it begins to fail and when it works again. One thread, but for metadata().
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "collect/host/emitter.h"
#include "collect/host/part.h"
#include "model/appender.h"

namespace binnacle::collect::host {

class PartSet {
 public:
  // Registers binnacle_collector_duration_seconds{collector},
  // binnacle_collector_success{collector}, binnacle_collector_failures_total{collector},
  // binnacle_collector_refused_samples_total and binnacle_collector_commit_failures_total.
  PartSet(Parts parts, model::Labels extra, size_t max_series, const Clock& clock,
          model::Appendable& store, Registry& registry);

  // Runs the parts that are due and commits what they emitted, stamped `timestamp_ms`. The error is
  // the commit's: nothing of this batch is stored then.
  Status collect(int64_t timestamp_ms);

  std::vector<MetricInfo> metadata() const { return emitter_.metadata(); }

 private:
  struct Slot {
    std::unique_ptr<Part> part;
    Gauge* duration = nullptr;
    Gauge* success = nullptr;
    Counter* failures = nullptr;
    int64_t due_ns = 0;
    bool failing = false;
  };

  void run(size_t index);
  void note_outcome(Slot& slot, const Status& outcome);
  Status commit(model::Appender& appender);

  // Fixed after construction.
  const Clock& clock_;
  model::Appendable& store_;
  Counter& refused_samples_;
  Counter& commit_failures_;
  const Log log_{"collect.host"};

  // Collecting thread only; the emitter guards its metadata itself.
  std::vector<Slot> slots_;
  Emitter emitter_;
  uint64_t refused_before_ = 0;
  bool commit_failing_ = false;
};

}  // namespace binnacle::collect::host
