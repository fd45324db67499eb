// Random data and random expressions over it, for the engine to be held against the oracle. The
// same for the same seed.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "query/promql/testing/naive_evaluator.h"

namespace binnacle::query::promql::testing {

// An hour of gauges m0 and m1 and of counters c0, with gaps, stale markers, resets and some NaN;
// and of r0 with the job and instance that target_info and build_info tell more about.
std::vector<NaiveSeries> random_data(Random& random);

class RandomQueries {
 public:
  explicit RandomQueries(Random& random) : random_(random) {}
  // A vector or, now and then, a scalar.
  std::string next();

 private:
  // `exact`: computed without rounding, so that comparing, sorting or cutting it gives the same
  // whatever the order of the additions.
  struct Text {
    std::string text;
    bool exact = true;
  };
  Text vector(int depth);
  Text exact_vector(int depth);
  Text scalar(int depth);
  Text range_call(int depth);
  Text math_call(int depth);
  Text aggregation(int depth);
  Text with_scalar(int depth);
  Text with_vector(int depth);
  Text info_call();
  std::string selector();
  std::string length();
  std::string extension();
  std::string fill();
  std::string modifiers();
  std::string range(int depth, bool& exact);
  std::string pick(const std::vector<std::string>& from);
  bool chance(uint64_t percent) { return random_.below(100) < percent; }

  Random& random_;
};

}  // namespace binnacle::query::promql::testing
