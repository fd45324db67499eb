// Puts together what one run of a check found: what is wrong, the worst first, then what is worth
// saying anyway. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "watch/health/checks/thresholds.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

class Verdict {
 public:
  void note(std::string text) { notes_.push_back(std::move(text)); }
  void add(Health health, std::string text);
  // "TEXT (critical: > 0.9)", or nothing where the value is fine.
  void judge(const Thresholds& thresholds, double value, std::string text);

  Health health() const { return health_; }
  Reading reading() const;
  Reading reading(double value, std::string unit) const;

 private:
  Health health_ = Health::kHealthy;
  std::vector<std::pair<Health, std::string>> findings_;
  std::vector<std::string> notes_;
};

// Of a thing that could not be asked: kFailed when it did not answer, kCritical when it showed the
// wrong credentials or sent us round in circles, kUnknown when the fault is on this side.
Reading reading_of(const Error& error);

// One line of at most `max_bytes`: control characters and broken UTF-8 become "?".
std::string one_line(std::string_view text, size_t max_bytes = 200);

std::string seconds_text(double seconds);  // "12 ms", "1.5 s"
std::string bytes_text(double bytes);      // "1.5 GiB"

}  // namespace binnacle::watch::health
