#include "query/promql/duration_expr.h"

#include <cmath>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::query::promql {
namespace {

Unexpected error(const Expr& at, std::string_view what) {
  return fail(Code::kInvalidArgument,
              fmt::format("{}:{}: {}", at.position.start, at.position.end, what));
}

Result<double> seconds_of(const Expr& expr, const DurationScope& scope);

Result<double> operator_seconds(const DurationExpr& expr, double lhs, double rhs) {
  switch (expr.op) {
    case DurationExpr::Op::kAdd:
      return lhs + rhs;
    case DurationExpr::Op::kSub:
      return lhs - rhs;
    case DurationExpr::Op::kMul:
      return lhs * rhs;
    case DurationExpr::Op::kDiv:
      if (rhs == 0) return error(expr, "division by zero");
      return lhs / rhs;
    case DurationExpr::Op::kMod:
      if (rhs == 0) return error(expr, "modulo by zero");
      return std::fmod(lhs, rhs);
    case DurationExpr::Op::kPow:
      return std::pow(lhs, rhs);
    // Unlike std::fmin, a NaN on either side wins.
    case DurationExpr::Op::kMin:
      return std::isnan(lhs) || lhs < rhs ? lhs : rhs;
    case DurationExpr::Op::kMax:
      return std::isnan(lhs) || lhs > rhs ? lhs : rhs;
    case DurationExpr::Op::kStep:
    case DurationExpr::Op::kRange:
      break;
  }
  check_failed(__FILE__, __LINE__, "an operator of two durations");
}

Result<double> seconds_of(const Expr& expr, const DurationScope& scope) {
  if (const auto* number = as<NumberLiteral>(expr)) return number->value;
  const auto* duration = as<DurationExpr>(expr);
  CHECK(duration != nullptr);
  if (duration->op == DurationExpr::Op::kStep) return static_cast<double>(scope.step_ms) / 1e3;
  if (duration->op == DurationExpr::Op::kRange) return static_cast<double>(scope.range_ms) / 1e3;
  double lhs = 0;  // a sign is an operator without left side
  if (duration->lhs != nullptr) {
    TRY_ASSIGN(lhs, seconds_of(*duration->lhs, scope));
  }
  TRY_ASSIGN(const double rhs, seconds_of(*duration->rhs, scope));
  return operator_seconds(*duration, lhs, rhs);
}

}  // namespace

Result<int64_t> duration_ms(const Duration& duration, const DurationScope& scope,
                            bool may_be_negative) {
  if (duration.expr == nullptr) return duration.ms;
  constexpr double kMostSeconds = 9223372036.854775808;  // 2^63 ns
  TRY_ASSIGN(const double seconds, seconds_of(*duration.expr, scope));
  if (!std::isfinite(seconds)) return error(*duration.expr, "duration is NaN or infinite");
  if (seconds <= 0 && !may_be_negative)
    return error(*duration.expr, "duration must be greater than 0");
  if (std::abs(seconds) > kMostSeconds) return error(*duration.expr, "duration is out of range");
  return static_cast<int64_t>(seconds * 1000);
}

}  // namespace binnacle::query::promql
