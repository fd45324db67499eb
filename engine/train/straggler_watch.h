// Which rank holds the others up. Over each window of steps a rank's score is the median of its own
// work beside the quickest rank's, or, in a run of one process, beside its own best window: 1 is as
// quick, 0.5 takes twice as long. Under the mark for three windows in a row it is a straggler.
// Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace binnacle::engine {

class StragglerWatch {
 public:
  static constexpr std::size_t kWindow = 16;  // steps
  static constexpr int kWindows = 3;

  StragglerWatch(int32_t ranks, double mark);

  // Seconds of each rank's own work in one step. The ranks that have just become stragglers.
  std::vector<int32_t> add(const std::vector<double>& seconds);

  const std::vector<double>& scores() const { return scores_; }  // of the last whole window

 private:
  void score(const std::vector<double>& medians);

  const double mark_;
  std::vector<std::vector<double>> window_;  // by rank
  std::vector<double> scores_;
  std::vector<int> low_windows_;  // in a row
  double best_ = 0;               // of a run of one process; 0: no window yet
};

}  // namespace binnacle::engine
