#include "collect/discovery/source_health.h"

namespace binnacle::collect::discovery {

MechanismInstruments::MechanismInstruments(Registry& registry, const std::string& mechanism)
    : refreshes(registry.counter("binnacle_discovery_refreshes_total",
                                 "Attempts to learn the targets of a source.",
                                 {{"mechanism", mechanism}})),
      failures(
          registry.counter("binnacle_discovery_failures_total",
                           "Attempts that failed in whole or in part; the last good targets stay.",
                           {{"mechanism", mechanism}})),
      last_success_seconds(registry.gauge("binnacle_discovery_last_success_timestamp_seconds",
                                          "When a source of this mechanism was last read without "
                                          "error.",
                                          {{"mechanism", mechanism}})),
      targets(registry.gauge("binnacle_discovery_targets",
                             "Targets that the sources give, before relabelling.",
                             {{"mechanism", mechanism}})) {}

void SourceHealth::succeeded() {
  const int64_t now_ms = clock_.wall_ms();
  instruments_.refreshes.add();
  instruments_.last_success_seconds.set(static_cast<double>(now_ms) / 1000);
  const MutexLock lock(mu_);
  state_ = {"", now_ms};
}

void SourceHealth::failed(const Error& why) {
  instruments_.refreshes.add();
  instruments_.failures.add();
  const MutexLock lock(mu_);
  state_.last_error = why.message;
}

SourceHealth::State SourceHealth::state() const {
  const MutexLock lock(mu_);
  return state_;
}

}  // namespace binnacle::collect::discovery
