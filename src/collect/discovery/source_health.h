// How a source of targets does: for the API, and as instruments by mechanism. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/mutex.h"

namespace binnacle::collect::discovery {

// One mechanism's, shared by its sources.
struct MechanismInstruments {
  MechanismInstruments(Registry& registry, const std::string& mechanism);

  Counter& refreshes;
  Counter& failures;
  Gauge& last_success_seconds;  // Unix time of the last refresh of any of them that was good
  Gauge& targets;
};

class SourceHealth {
 public:
  SourceHealth(const Clock& clock, MechanismInstruments& instruments)
      : clock_(clock), instruments_(instruments) {}

  void succeeded() EXCLUDES(mu_);
  void failed(const Error& why) EXCLUDES(mu_);

  struct State {
    std::string last_error;       // empty after a success
    int64_t last_success_ms = 0;  // wall time; 0: never
  };
  State state() const EXCLUDES(mu_);

 private:
  const Clock& clock_;
  MechanismInstruments& instruments_;
  mutable Mutex mu_;
  State state_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::discovery
