// What a worker's hops take, learned from those that came back, and until when one is waited for.
// A hop's time is brought to one row of one layer, over all that the worker had before it: so what
// decoding teaches holds for a prefill, too. Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace binnacle::engine {

struct HopDeadlineOptions {
  std::chrono::milliseconds least{1'000};
  std::chrono::milliseconds unlearned{15'000};  // until enough hops came back
  std::chrono::milliseconds most{120'000};
  double factor = 5;  // of the learned p99
};

class HopTimes {
 public:
  // `row_layers`: rows that the worker had to compute, this hop's and those before it, times
  // layers.
  void add(double seconds, double row_layers);
  std::chrono::milliseconds deadline(double row_layers, const HopDeadlineOptions& options) const;

  // Of the last hops as they were, in seconds; 0: none yet.
  double quantile(double q) const;
  uint64_t count() const { return count_; }

 private:
  std::vector<double> seconds_;        // a ring
  std::vector<double> per_row_layer_;  // likewise
  uint64_t count_ = 0;
};

}  // namespace binnacle::engine
