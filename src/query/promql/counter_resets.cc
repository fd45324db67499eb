#include "query/promql/counter_resets.h"

#include <algorithm>

#include "query/promql/column.h"

namespace binnacle::query::promql {
namespace {

// Up to so many are added one by one, in order.
constexpr size_t kFew = 16;

// What is left of two numbers that all but cancel depends on the order of the additions.
constexpr double kCancelled = 0x1p-20;

}  // namespace

void CounterResets::find(std::span<const double> values) {
  places_.clear();
  before_.clear();
  summed_ = false;
  low_ = high_ = 0;
  if (values.empty() || !any_below(values.subspan(1), values.data())) return;
  for (size_t i = 1; i < values.size(); ++i) {
    if (!(values[i] < values[i - 1])) continue;
    places_.push_back(static_cast<uint32_t>(i));
    before_.push_back(values[i - 1]);
  }
}

void CounterResets::add_up() {
  summed_ = true;
  positive_ = std::ranges::all_of(before_, [](double value) { return value >= 0; });
  if (positive_) sums_.assign(before_);
}

double CounterResets::add_between(double sum, uint32_t first, uint32_t last) {
  move_to(first, last);
  if (high_ > low_ + kFew) {
    if (!summed_) add_up();
    DoubleDouble lost;
    if (positive_ && sums_.sum(static_cast<uint32_t>(low_), static_cast<uint32_t>(high_), lost)) {
      const double result = sum + lost.value();
      if (std::abs(result) >= std::abs(sum) * kCancelled) return result;
    }
  }
  return add_in_order(sum, first, last);
}

}  // namespace binnacle::query::promql
