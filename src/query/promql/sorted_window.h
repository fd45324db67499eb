// The values of a sliding window in order, NaNs first as PromQL sorts them. A step that takes one
// value in and one out shifts the part of an array between the two; one that changes most of the
// window sorts it anew. One column's, windows in ascending order.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace binnacle::query::promql {

class SortedWindow {
 public:
  void begin(std::span<const double> values);
  void move_to(uint32_t first, uint32_t last);

  size_t size() const { return nans_ + sorted_.size(); }
  size_t nans() const { return nans_; }
  double at(size_t rank) const {
    return rank < nans_ ? std::numeric_limits<double>::quiet_NaN() : sorted_[rank - nans_];
  }
  std::span<const double> numbers() const { return sorted_; }  // those that are not NaN

 private:
  void fill(uint32_t first, uint32_t last);
  void replace(double old, double value);
  void insert(double value);
  void erase(double value);
  size_t place_of(double value) const;  // the first that is not less
  std::pair<size_t, size_t> places_of(double a, double b) const;

  std::span<const double> values_;
  uint32_t first_ = 0;
  uint32_t last_ = 0;
  size_t nans_ = 0;
  std::vector<double> sorted_;
};

// The value between ranks that stands at quantile q of `size` > 0 values in order; at(rank) gives
// them. -Inf below 0, +Inf above 1.
template <typename At>
double quantile_of(double q, size_t size, const At& at) {
  if (q != q) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  const double rank = q * static_cast<double>(size - 1);
  const auto lower = static_cast<size_t>(rank);  // rank >= 0, so this is its floor
  const size_t upper = lower + 1 < size ? lower + 1 : size - 1;
  const double weight = rank - static_cast<double>(lower);
  return at(lower) * (1 - weight) + at(upper) * weight;
}

}  // namespace binnacle::query::promql
