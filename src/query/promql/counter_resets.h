// Where a counter fell between two samples, and how much a window's increase lacks for it: the
// value before each fall. One column's; windows are asked for in ascending order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/promql/prefix_sums.h"

namespace binnacle::query::promql {

class CounterResets {
 public:
  void find(std::span<const double> values);
  bool any() const { return !places_.empty(); }

  // `sum` and the values before the falls between neighbours of samples [first, last).
  double add_to(double sum, uint32_t first, uint32_t last) {
    if (places_.empty()) return sum;
    return add_between(sum, first, last);
  }
  // The same one by one, for who has yet to add what may cancel.
  double add_in_order(double sum, uint32_t first, uint32_t last) {
    move_to(first, last);
    for (size_t i = low_; i < high_; ++i) sum += before_[i];
    return sum;
  }

 private:
  double add_between(double sum, uint32_t first, uint32_t last);
  void move_to(uint32_t first, uint32_t last) {
    while (low_ < places_.size() && places_[low_] <= first) ++low_;
    while (high_ < places_.size() && places_[high_] < last) ++high_;
  }
  void add_up();

  std::vector<uint32_t> places_;  // sample k fell below sample k - 1; ascending
  std::vector<double> before_;    // the value of sample k - 1, for each
  PrefixSums sums_;               // of before_, once a window has many
  bool summed_ = false;
  bool positive_ = false;  // all of before_, as a counter's are; else sums_ is not used
  size_t low_ = 0;         // places_ in the window of the last question
  size_t high_ = 0;
};

}  // namespace binnacle::query::promql
