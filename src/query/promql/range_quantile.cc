// quantile_over_time and mad_over_time (the median distance from the median), over a sliding window
// that is kept in order.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "query/promql/range_makers.h"
#include "query/promql/sorted_window.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

// The few values at one end of a window, by a pass over it without a guess for the processor. Where
// a quantile stands near an end, as 0.95 of twenty values does, and windows are short and far from
// each other, that is quicker than to keep a window in order. Numbers alone.
class WindowEnd {
 public:
  // Whether the ranks that quantile q of `size` values asks for are found so.
  static bool suits(double q, size_t size) {
    if (size > kLongest || !(q >= 0 && q <= 1)) return false;
    const auto lower = static_cast<size_t>(q * static_cast<double>(size - 1));
    return size - lower <= kMost || lower + 2 <= kMost;
  }
  double quantile(double q, std::span<const double> values) {
    const auto lower = static_cast<size_t>(q * static_cast<double>(values.size() - 1));
    const bool top = values.size() - lower <= kMost;
    const size_t wanted = top ? values.size() - lower : lower + 2;
    const double sign = top ? 1 : -1;
    wanted <= 2 ? find<2>(values, sign) : find<kMost>(values, sign);
    return quantile_of(q, values.size(), [&](size_t rank) {
      return sign * found_[top ? values.size() - 1 - rank : rank];
    });
  }

 private:
  static constexpr size_t kMost = 4;
  static constexpr size_t kLongest = 64;

  template <size_t kWanted>
  void find(std::span<const double> values, double sign) {
    std::array<double, kWanted> greatest;
    greatest.fill(-std::numeric_limits<double>::infinity());
    for (const double signless : values) {
      double value = sign * signless;
      for (double& held : greatest) {
        const double more = std::max(held, value);
        value = std::min(held, value);
        held = more;
      }
    }
    std::ranges::copy(greatest, found_.begin());
  }

  std::array<double, kMost> found_{};  // the greatest first
};

class Quantile final : public RangeFunction {
 public:
  explicit Quantile(const RangeCall& call)
      : quantiles_(call.scalars[0]),
        annotations_(call.annotations),
        position_(argument_position(call.call, 0)) {}

  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    window_.begin(samples.values);
    bool nans = false;
    for (const double value : samples.values) nans |= value != value;
    uint32_t before = 0;  // where the last window began
    fill_windows(windows, out, [&](uint32_t first, uint32_t last, size_t i) {
      const double q = quantiles_[i];
      if (!(q >= 0 && q <= 1)) warn(q);
      const bool far = first - std::exchange(before, first) >= kFar;
      if (far && !nans && WindowEnd::suits(q, last - first))
        return end_.quantile(q, samples.values.subspan(first, last - first));
      window_.move_to(first, last);
      return quantile_of(q, window_.size(), [this](size_t rank) { return window_.at(rank); });
    });
  }

 private:
  void warn(double q) {
    if (warned_ && (q == warned_of_ || (std::isnan(q) && std::isnan(warned_of_)))) return;
    warned_ = true;
    warned_of_ = q;
    annotations_.warn(odd_quantile_text(q), position_);
  }

  // Samples that leave the window; one at a time is quicker exchanged.
  static constexpr uint32_t kFar = 2;

  const std::span<const double> quantiles_;
  Annotations& annotations_;
  const PositionRange position_;
  bool warned_ = false;
  double warned_of_ = 0;
  SortedWindow window_;
  WindowEnd end_;
};

class MedianDeviation final : public RangeFunction {
 public:
  void apply(model::LabelsView, const Samples& samples, const Windows& windows,
             std::span<double> out) override {
    window_.begin(samples.values);
    fill_windows(windows, out, [&](uint32_t first, uint32_t last, size_t) {
      window_.move_to(first, last);
      return window_.nans() > 0 ? std::numeric_limits<double>::quiet_NaN() : deviation();
    });
  }

 private:
  double deviation() {
    const std::span<const double> numbers = window_.numbers();
    const double median =
        quantile_of(0.5, numbers.size(), [&](size_t rank) { return numbers[rank]; });
    // The distances in order: the values below the median backwards and those above it forwards,
    // merged as far as the middle. An infinite median has NaN distances, which sort first.
    if (!std::isfinite(median)) return deviation_from(median);
    size_t above = static_cast<size_t>(std::ranges::lower_bound(numbers, median) - numbers.begin());
    size_t below = above;
    const size_t middle = std::min(numbers.size(), (numbers.size() - 1) / 2 + 2);
    near_.clear();
    while (near_.size() < middle) {
      const bool up = below == 0 || (above < numbers.size() &&
                                     numbers[above] - median < median - numbers[below - 1]);
      near_.push_back(up ? numbers[above++] - median : median - numbers[--below]);
    }
    return quantile_of(0.5, numbers.size(), [this](size_t rank) { return near_[rank]; });
  }

  double deviation_from(double median) {
    near_.clear();
    for (const double value : window_.numbers()) near_.push_back(std::abs(value - median));
    const auto numbers = std::ranges::partition(near_, [](double v) { return std::isnan(v); });
    std::ranges::sort(numbers);
    return quantile_of(0.5, near_.size(), [this](size_t rank) { return near_[rank]; });
  }

  SortedWindow window_;
  std::vector<double> near_;  // distances from the median, the smallest first
};

}  // namespace

RangeResult make_quantile(const RangeCall& call) { return std::make_unique<Quantile>(call); }
RangeResult make_mad(const RangeCall&) { return std::make_unique<MedianDeviation>(); }

}  // namespace binnacle::query::promql
