// The series of a GPU cluster under inference load, as a metrics store gets to see them: 100 series
// for each GPU (gauges, constants, counters, classic histograms), 8 GPUs a node. The same seed
// gives the same data on every machine. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace binnacle::bench {

enum SeriesKind : int { kGauge, kConstant, kCounter, kBucket, kSum, kCount, kSeriesKinds };

// splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere, which the distributions of
// <random> are not.
class DataRandom {
 public:
  explicit DataRandom(uint64_t seed) : state_(seed) {}
  uint64_t next();
  double uniform(double low, double high);
  double normal();

 private:
  uint64_t state_;
};

struct SeriesSpec {
  std::vector<std::pair<std::string, std::string>> labels;  // sorted by name, __name__ included
  int kind = kGauge;                                        // a SeriesKind
};

class ClusterData {
 public:
  static constexpr size_t kSeriesPerGpu = 100;

  ClusterData(size_t gpus, uint64_t seed);

  // All series of GPU 0, then of GPU 1, ...; the buckets of a histogram ascend, then come its
  // _sum and _count.
  size_t series_count() const { return specs_.size(); }
  const SeriesSpec& series(size_t i) const { return specs_[i]; }
  double value(size_t i) const { return values_[i]; }

  // Moves all series on to the next time step; the first one is there from the start.
  void step();
  // Gives that share of the nodes new pods: their series get a new `pod` label and start anew. What
  // does not make a whole node is kept for the next call.
  void churn(double share);

 private:
  void name_node(size_t node);
  void start_gpu(size_t gpu);
  void step_gpu(size_t gpu);
  void observe(size_t gpu);
  void publish(size_t gpu);

  size_t gpus_;
  DataRandom random_;
  double churn_owed_ = 0;
  std::vector<SeriesSpec> specs_;
  std::vector<double> exact_;   // before rounding
  std::vector<double> rates_;   // of counters: what a step adds on average
  std::vector<double> values_;  // as scraped
};

}  // namespace binnacle::bench
