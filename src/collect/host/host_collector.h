// The host collector: what node_exporter tells about a machine, under its names, labels and units,
// appended to a store every interval. Two threads: a quick one for what changes every second, a
// slow one for what is dear or may hang (file systems, sensors, interfaces, processes), so that the
// slow never delays the quick. start() and stop() belong to the owner's thread; every reference
// handed in must outlive the collector.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "collect/host/host_options.h"
#include "collect/host/part_set.h"
#include "model/appender.h"
#include "model/labels.h"

namespace binnacle::collect::host {

class HostCollector {
 public:
  // `extra` labels (instance, job="node", ...) go onto every series. `further` parts (containers,
  // GPUs, ...) run like the host's own, with those that have a period on the slow thread.
  // kInvalidArgument for a pattern or an interval in the options that makes no sense. Registers its
  // instruments in `registry`.
  static Result<std::unique_ptr<HostCollector>> create(const HostOptions& options,
                                                       FileSystem& files, const Clock& clock,
                                                       model::Appendable& store, Registry& registry,
                                                       const model::Labels& extra,
                                                       Parts further = {});
  ~HostCollector();  // stops
  HostCollector(const HostCollector&) = delete;
  HostCollector& operator=(const HostCollector&) = delete;

  void start();
  void stop() EXCLUDES(mu_);  // waits for the runs in progress; fine when it was never started

  // From now on, while it runs too: threads, parts, what these know and the grid's last tick stay.
  // kInvalidArgument as of create(). Any thread.
  Status set_interval(int64_t interval_ms) EXCLUDES(mu_);

  // One tick of both kinds on the caller's thread, for tests and tools; never while started. Parts
  // with a period of their own run when it is over, all of them the first time.
  Status collect_once(int64_t now_ms);

  // Name, help and type of every metric emitted so far, by name. Any thread.
  std::vector<MetricInfo> metadata() const;

 private:
  struct Lane;
  HostCollector(const HostOptions& options, Parts quick, Parts slow, const Clock& clock,
                model::Appendable& store, Registry& registry, const model::Labels& extra);
  void run(Lane& lane) EXCLUDES(mu_);
  int64_t interval_of(const Lane& lane) const EXCLUDES(mu_);
  // False: stopping, or the lane's interval is another one.
  bool wait_until(int64_t monotonic_ns, const Lane& lane, int64_t interval_ms) EXCLUDES(mu_);
  bool stopping() const EXCLUDES(mu_);

  // Fixed after construction.
  const Clock& clock_;
  Counter& missed_ticks_;
  std::vector<std::unique_ptr<Lane>> lanes_;

  // Owner's thread only.
  std::vector<std::thread> threads_;

  mutable Mutex mu_;
  CondVar wake_;
  int64_t interval_ms_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::collect::host
