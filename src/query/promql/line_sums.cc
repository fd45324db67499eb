#include "query/promql/line_sums.h"

namespace binnacle::query::promql {
namespace {

// The covariance must be so many times its error, and so much of what it might be, were all values
// at the window's ends: below that the sums in doubles that PromQL prescribes err themselves.
constexpr double kCertain = 0x1p35;
constexpr double kDistinct = 0x1p-25;
constexpr double kTiny = 1e-200;

}  // namespace

void LineSums::assign(std::span<const int64_t> times_ms, std::span<const double> values) {
  times_.resize(times_ms.size());
  origin_ms_ = times_ms.empty() ? 0 : times_ms[0];
  for (size_t i = 0; i < times_ms.size(); ++i)
    times_[i] = static_cast<double>(times_ms[i] - origin_ms_);
  x_.assign(times_);
  y_.assign(values);
  xy_.assign_products(times_, values);
  xx_.assign_products(times_, times_);
}

bool LineSums::fit(uint32_t first, uint32_t last, FittedLine& out) const {
  if (!xy_.tame(first, last)) return false;
  const auto count = static_cast<double>(last - first);
  const DoubleDouble x = x_.between(first, last);
  const DoubleDouble y = y_.between(first, last);
  const DoubleDouble xy = xy_.between(first, last);
  const DoubleDouble product = x * y;
  const double covariance = std::abs((xy * count - product).value());
  const double error = count * xy_.error(last) + x.high * y_.error(last) +
                       (count * std::abs(xy.high) + std::abs(product.high)) * 0x1p-100;
  const double most = count * (times_[last - 1] - times_[first]) * y_.magnitudes(first, last);
  if (!(covariance > error * kCertain && covariance > most * kDistinct && covariance > kTiny))
    return false;
  const double variance = (xx_.between(first, last) * count - x * x).value();
  out.slope = (xy * count - product).value() / variance * 1e3;
  out.origin_ms = origin_ms_;
  out.after_ms = x.value() / count;
  out.value = y.value() / count;
  return true;
}

}  // namespace binnacle::query::promql
