// Numbers of about 106 bits as the sum of two doubles (Dekker 1971; Knuth TAOCP 4.2.2; Veltkamp's
// split where there is no fused multiply-add). Right as long as nothing overflows, and products of
// parts do not fall below 1e-290.
#pragma once

namespace binnacle::query::promql {

struct DoubleDouble {
  double high = 0;
  double low = 0;  // at most half a unit of the last place of `high`
  double value() const { return high + low; }
};

// a + b, exactly.
inline DoubleDouble two_sum(double a, double b) {
  const double sum = a + b;
  const double back = sum - a;
  return {sum, (a - (sum - back)) + (b - back)};
}

// a * b, exactly, of factors below 1e290.
inline DoubleDouble two_product(double a, double b) {
  constexpr double kSplit = 0x1p27 + 1;
  const double a_high = a * kSplit - (a * kSplit - a);
  const double b_high = b * kSplit - (b * kSplit - b);
  const double a_low = a - a_high;
  const double b_low = b - b_high;
  const double product = a * b;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

// The same number, its parts told apart again.
inline DoubleDouble renormalized(double high, double low) {
  const double sum = high + low;
  return {sum, low - (sum - high)};
}

inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble sum = two_sum(a.high, b.high);
  return renormalized(sum.high, sum.low + (a.low + b.low));
}
inline DoubleDouble operator-(DoubleDouble a, DoubleDouble b) {
  return a + DoubleDouble{-b.high, -b.low};
}
inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble product = two_product(a.high, b.high);
  return renormalized(product.high, product.low + (a.high * b.low + a.low * b.high));
}
inline DoubleDouble operator*(DoubleDouble a, double b) { return a * DoubleDouble{b, 0}; }

}  // namespace binnacle::query::promql
