#include <cmath>

#include "base/check.h"
#include "query/promql/binary.h"
#include "query/promql/binary_kernel.h"
#include "query/promql/steps.h"

namespace binnacle::query::promql {
namespace {

// visit(f), f the operator as a function of two doubles that can be inlined.
template <typename Visit>
void with_arithmetic(BinaryOp op, const Visit& visit) {
  switch (op) {
    case BinaryOp::kAdd:
      return visit([](double a, double b) { return a + b; });
    case BinaryOp::kSub:
      return visit([](double a, double b) { return a - b; });
    case BinaryOp::kMul:
      return visit([](double a, double b) { return a * b; });
    case BinaryOp::kDiv:
      return visit([](double a, double b) { return a / b; });
    case BinaryOp::kMod:
      return visit([](double a, double b) { return std::fmod(a, b); });
    case BinaryOp::kPow:
      return visit([](double a, double b) { return std::pow(a, b); });
    case BinaryOp::kAtan2:
      return visit([](double a, double b) { return std::atan2(a, b); });
    default:
      CHECK(false);  // set operators know no values
  }
}

template <typename Visit>
void with_comparison(BinaryOp op, const Visit& visit) {
  switch (op) {
    case BinaryOp::kEqual:
      return visit([](double a, double b) { return a == b; });
    case BinaryOp::kNotEqual:
      return visit([](double a, double b) { return a != b; });
    case BinaryOp::kGreater:
      return visit([](double a, double b) { return a > b; });
    case BinaryOp::kLess:
      return visit([](double a, double b) { return a < b; });
    case BinaryOp::kGreaterOrEqual:
      return visit([](double a, double b) { return a >= b; });
    case BinaryOp::kLessOrEqual:
      return visit([](double a, double b) { return a <= b; });
    default:
      CHECK(false);
  }
}

template <typename F>
void each_present(std::span<const double> lhs, std::span<const double> rhs, std::span<double> out,
                  const F& f) {
  for (size_t i = 0; i < out.size(); ++i) {
    const bool present = !is_absent(lhs[i]) && !is_absent(rhs[i]);
    const double value = f(lhs[i], rhs[i]);
    out[i] = present ? value : absent_value();
  }
}

}  // namespace

void binary_columns(BinaryOp op, Compared compared, std::span<const double> lhs,
                    std::span<const double> rhs, std::span<double> out) {
  CHECK(lhs.size() == out.size() && rhs.size() == out.size());
  if (!is_comparison(op)) {
    return with_arithmetic(op, [&](auto f) { each_present(lhs, rhs, out, f); });
  }
  with_comparison(op, [&](auto holds) {
    switch (compared) {
      case Compared::kBool:
        return each_present(lhs, rhs, out,
                            [=](double a, double b) { return holds(a, b) ? 1.0 : 0.0; });
      case Compared::kLhs:
        return each_present(lhs, rhs, out,
                            [=](double a, double b) { return holds(a, b) ? a : absent_value(); });
      case Compared::kRhs:
        return each_present(lhs, rhs, out,
                            [=](double a, double b) { return holds(a, b) ? b : absent_value(); });
    }
  });
}

double scalar_binary(BinaryOp op, double lhs, double rhs) {
  double out = 0;
  binary_columns(op, Compared::kBool, {&lhs, 1}, {&rhs, 1}, {&out, 1});
  return out;
}

void scalar_binary(BinaryOp op, std::span<const double> lhs, std::span<const double> rhs,
                   std::span<double> out) {
  binary_columns(op, Compared::kBool, lhs, rhs, out);
}

}  // namespace binnacle::query::promql
