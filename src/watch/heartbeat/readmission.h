// What a node's past says about its next return: how long it must be back before it counts as up,
// and whether it changes so often that each change is not worth an event. Pure.
#pragma once

#include <cstdint>
#include <deque>

#include "watch/heartbeat/detector_options.h"

namespace binnacle::watch::heartbeat {

class Readmission {
 public:
  void went_down(int64_t now_ms, const ReadmissionOptions& options);
  // How long the node must be back now.
  int64_t wait_ms(const ReadmissionOptions& options) const;

 private:
  void calm(int64_t now_ms, const ReadmissionOptions& options);

  uint32_t downs_ = 0;  // that are not forgiven
  int64_t since_ms_ = 0;
};

class FlapCount {
 public:
  // Of a change of state. Answers whether the node flaps with it.
  bool changed(int64_t now_ms, const FlapOptions& options);
  bool flapping() const { return flapping_; }
  uint32_t changes() const { return static_cast<uint32_t>(times_.size()); }

 private:
  std::deque<int64_t> times_;  // within the window, at most twice what makes it flap
  bool flapping_ = false;
};

}  // namespace binnacle::watch::heartbeat
