#include "query/promql/printer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/config_units.h"
#include "base/float_text.h"
#include "query/promql/function_table.h"
#include "query/promql/literal_text.h"
#include "query/promql/printer_parts.h"

namespace binnacle::query::promql {
namespace {

void append(std::string& out, const Expr& expr);

// `without`, `inf` and `nan` are no names in a list of labels.
bool stands_unquoted(const std::string& label) {
  if (!model::is_legacy_label_name(label)) return false;
  std::string lower = label;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return lower != "without" && lower != "inf" && lower != "nan";
}

std::string label_list(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const std::string& label : labels) {
    if (out.size() > 1) out += ", ";
    out += stands_unquoted(label) ? label : in_quotes(label);
  }
  return out + ")";
}

// Milliseconds of a number of seconds that is not negative, cut off.
int64_t literal_ms(double seconds) {
  constexpr double kMostNs = 9223372036854774784.0;
  return static_cast<int64_t>(std::min(seconds * 1e9, kMostNs)) / 1'000'000;
}

std::string number_text(const NumberLiteral& number) {
  if (!number.duration) return plain_number_text(number.value);
  const std::string text = duration_text(literal_ms(std::abs(number.value)));
  return std::signbit(number.value) ? "-" + text : text;
}

std::string_view duration_op_text(DurationExpr::Op op) {
  static constexpr std::string_view kTexts[] = {"+", "-",    "*",     "/",      "%",
                                                "^", "step", "range", "min_of", "max_of"};
  return kTexts[static_cast<size_t>(op)];
}

void append_duration_expr(std::string& out, const DurationExpr& expr) {
  if (expr.wrapped) out += '(';
  if (expr.op >= DurationExpr::Op::kStep) {
    out += duration_op_text(expr.op);
    out += '(';
    if (expr.lhs != nullptr) {
      append(out, *expr.lhs);
      out += ", ";
      append(out, *expr.rhs);
    }
    out += ')';
  } else if (expr.lhs == nullptr) {
    if (expr.op == DurationExpr::Op::kSub) out += '-';
    append(out, *expr.rhs);
  } else {
    append(out, *expr.lhs);
    out += fmt::format(" {} ", duration_op_text(expr.op));
    append(out, *expr.rhs);
  }
  if (expr.wrapped) out += ')';
}

void append_duration(std::string& out, const Duration& duration) {
  if (duration.expr != nullptr) {
    append(out, *duration.expr);
  } else {
    out += duration_text(duration.ms);
  }
}

// A range is more than 0, as written, and may still be less than a millisecond; 0s would not read
// back.
void append_range(std::string& out, const Duration& range) {
  if (range.expr == nullptr && range.ms == 0) {
    out += "0.0001";
  } else {
    append_duration(out, range);
  }
}

void append_at(std::string& out, const AtModifier& at) {
  switch (at.kind) {
    case AtModifier::Kind::kNone:
      break;
    case AtModifier::Kind::kTime:
      out += fmt::format(" @ {:.3f}", static_cast<double>(at.time_ms) / 1000.0);
      break;
    case AtModifier::Kind::kStart:
      out += " @ start()";
      break;
    case AtModifier::Kind::kEnd:
      out += " @ end()";
      break;
  }
}

// Whether a duration reads back whole after offset, where a literal, a function and a signed term
// end the duration; see the grammar.
bool stands_after_offset(const DurationExpr& expr) {
  if (expr.wrapped || expr.op >= DurationExpr::Op::kStep) return true;
  if (expr.lhs == nullptr) {
    const auto* inner = as<DurationExpr>(expr.rhs.get());
    return inner == nullptr || inner->wrapped || inner->lhs == nullptr ||
           inner->op >= DurationExpr::Op::kStep;
  }
  const auto* first = as<DurationExpr>(expr.lhs.get());
  if (first == nullptr || (first->op >= DurationExpr::Op::kStep && !first->wrapped)) return false;
  if (first->wrapped || first->lhs != nullptr) return stands_after_offset(*first);
  const auto* inner = as<DurationExpr>(first->rhs.get());  // two signs go on
  return inner != nullptr && inner->lhs == nullptr && !inner->wrapped &&
         inner->op == DurationExpr::Op::kSub;
}

void append_offset(std::string& out, const Duration& offset) {
  if (offset.expr == nullptr && offset.ms == 0) return;
  const auto* expr = as<DurationExpr>(offset.expr.get());
  const bool wrap = expr != nullptr && !stands_after_offset(*expr);
  out += wrap ? " offset (" : " offset ";
  append_duration(out, offset);
  if (wrap) out += ')';
}

void append_extended(std::string& out, const VectorSelector& selector) {
  if (selector.anchored) out += " anchored";
  if (selector.smoothed) out += " smoothed";
}

std::string matcher_text(const model::Matcher& matcher) {
  static constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};
  const bool plain = model::is_legacy_label_name(matcher.name());
  return fmt::format("{}{}{}", plain ? matcher.name() : in_quotes(matcher.name()),
                     kOps[static_cast<size_t>(matcher.op())], in_quotes(matcher.value()));
}

void append_name_and_matchers(std::string& out, const VectorSelector& selector) {
  std::vector<std::string> matchers;
  for (const model::Matcher& matcher : selector.matchers) {
    const bool is_name = matcher.name() == "__name__" && matcher.op() == model::MatchOp::kEqual &&
                         matcher.value() == selector.name && !selector.name.empty();
    if (!is_name) matchers.push_back(matcher_text(matcher));
  }
  std::sort(matchers.begin(), matchers.end());
  out += selector.name;
  // Braces stand for a selector of everything, as info() may have one.
  if (matchers.empty() && !selector.name.empty()) return;
  out += fmt::format("{{{}}}", fmt::join(matchers, ","));
}

void append_selector(std::string& out, const VectorSelector& selector) {
  append_name_and_matchers(out, selector);
  append_at(out, selector.at);
  append_extended(out, selector);
  append_offset(out, selector.offset);
}

void append_matrix(std::string& out, const MatrixSelector& matrix) {
  append_name_and_matchers(out, *matrix.selector);
  out += '[';
  append_range(out, matrix.range);
  out += ']';
  append_extended(out, *matrix.selector);
  append_at(out, matrix.selector->at);
  append_offset(out, matrix.selector->offset);
}

std::string fill_text(const VectorMatching& matching) {
  const auto value = [](double v) {
    std::string out;
    append_float_text(out, v);
    return out;
  };
  const auto& [left, right] = std::tie(matching.fill_lhs, matching.fill_rhs);
  if (left && right && *left == *right) return fmt::format(" fill ({})", value(*left));
  std::string out;
  if (left) out += fmt::format(" fill_left ({})", value(*left));
  if (right) out += fmt::format(" fill_right ({})", value(*right));
  return out;
}

void append_aggregation(std::string& out, const Aggregation& aggregation) {
  out += aggregation_head(aggregation) + "(";
  if (aggregation.param != nullptr) {
    append(out, *aggregation.param);
    out += ", ";
  }
  append(out, *aggregation.expr);
  out += ')';
}

void append_call(std::string& out, const Call& call) {
  out += call.function->name;
  out += '(';
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i > 0) out += ", ";
    append(out, *call.args[i]);
  }
  out += ')';
}

void append_binary(std::string& out, const BinaryExpr& binary) {
  if (has_infinite_base(binary)) {
    out += "Inf";  // a plus would be read as the sign of the power
  } else {
    append(out, *binary.lhs);
  }
  out += fmt::format(" {} ", operator_text(binary));
  append(out, *binary.rhs);
}

void append(std::string& out, const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kNumber:
      out += number_text(*as<NumberLiteral>(expr));
      break;
    case Expr::Kind::kString:
      out += in_quotes(as<StringLiteral>(expr)->value);
      break;
    case Expr::Kind::kVectorSelector:
      return append_selector(out, *as<VectorSelector>(expr));
    case Expr::Kind::kMatrixSelector:
      return append_matrix(out, *as<MatrixSelector>(expr));
    case Expr::Kind::kSubquery:
      append(out, *as<Subquery>(expr)->expr);
      return append_subquery_suffix(out, *as<Subquery>(expr));
    case Expr::Kind::kCall:
      return append_call(out, *as<Call>(expr));
    case Expr::Kind::kAggregation:
      return append_aggregation(out, *as<Aggregation>(expr));
    case Expr::Kind::kBinary:
      return append_binary(out, *as<BinaryExpr>(expr));
    case Expr::Kind::kUnary:
      out += as<UnaryExpr>(expr)->negative ? '-' : '+';
      return append(out, *as<UnaryExpr>(expr)->expr);
    case Expr::Kind::kParen:
      out += '(';
      append(out, *as<ParenExpr>(expr)->expr);
      out += ')';
      break;
    case Expr::Kind::kDuration:
      return append_duration_expr(out, *as<DurationExpr>(expr));
  }
}

}  // namespace

void append_subquery_suffix(std::string& out, const Subquery& subquery) {
  out += '[';
  append_range(out, subquery.range);
  out += ':';
  // One of less than a millisecond is as none.
  const bool has_step = subquery.step && (subquery.step->expr != nullptr || subquery.step->ms != 0);
  if (has_step) append_duration(out, *subquery.step);
  out += ']';
  append_at(out, subquery.at);
  append_offset(out, subquery.offset);
}

std::string aggregation_head(const Aggregation& aggregation) {
  std::string out(aggregate_name(aggregation.op));
  const Grouping& grouping = aggregation.grouping;
  if (grouping.without) {
    out += " without " + label_list(grouping.labels) + " ";
  } else if (!grouping.labels.empty()) {
    out += " by " + label_list(grouping.labels) + " ";
  }
  return out;
}

bool has_infinite_base(const BinaryExpr& binary) {
  const auto* base = binary.op == BinaryOp::kPow ? as<NumberLiteral>(*binary.lhs) : nullptr;
  return base != nullptr && std::isinf(base->value);
}

std::string operator_text(const BinaryExpr& binary) {
  std::string out(binary_op_text(binary.op));
  if (binary.return_bool) out += " bool";
  if (!binary.matching) return out;
  const VectorMatching& matching = *binary.matching;
  const bool grouped =
      matching.card == Cardinality::kManyToOne || matching.card == Cardinality::kOneToMany;
  if (!matching.labels.empty() || matching.on || grouped)
    out += (matching.on ? " on " : " ignoring ") + label_list(matching.labels);
  if (grouped) {
    const bool left = matching.card == Cardinality::kManyToOne;
    out += (left ? " group_left " : " group_right ") + label_list(matching.include);
  }
  return out + fill_text(matching);
}

std::string to_string(const Expr& expr) {
  std::string out;
  append(out, expr);
  return out;
}

std::string duration_text(int64_t ms) {
  return ms < 0 ? "-" + format_duration_ms(-ms) : format_duration_ms(ms);
}

}  // namespace binnacle::query::promql
