#include "query/promql/prefix_sums.h"

namespace binnacle::query::promql {
namespace {

// Four thousand million values below this do not overflow.
constexpr double kWild = 1e290;
// Nor do products of these, or the splitting of one.
constexpr double kWildFactor = 1e145;

}  // namespace

void PrefixSums::assign(std::span<const double> values) {
  points_.resize(values.size() + 1);
  points_[0] = {};
  Point at;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool tame = std::abs(values[i]) < kWild;
    const double value = tame ? values[i] : 0;
    at.wild += tame ? 0 : 1;
    at.magnitudes += std::abs(value);
    const DoubleDouble sum = two_sum(at.sum.high, value);
    at.sum = renormalized(sum.high, sum.low + at.sum.low);
    points_[i + 1] = at;
  }
}

void PrefixSums::assign_products(std::span<const double> a, std::span<const double> b) {
  points_.resize(a.size() + 1);
  points_[0] = {};
  Point at;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool tame = std::abs(a[i]) < kWildFactor && std::abs(b[i]) < kWildFactor;
    at.wild += tame ? 0 : 1;
    if (tame) {
      at.magnitudes += std::abs(a[i] * b[i]);
      at.sum = at.sum + two_product(a[i], b[i]);
    }
    points_[i + 1] = at;
  }
}

}  // namespace binnacle::query::promql
