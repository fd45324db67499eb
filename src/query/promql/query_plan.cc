#include "query/promql/query_plan.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "base/check.h"
#include "query/promql/duration_expr.h"
#include "query/promql/function_table.h"
#include "query/promql/info_plan.h"

namespace binnacle::query::promql {
namespace {

// Of equal values the first in label order are chosen, or the first that come.
bool needs_order(AggregateOp op) {
  switch (op) {
    case AggregateOp::kBottomk:
    case AggregateOp::kCountValues:
    case AggregateOp::kLimitk:
    case AggregateOp::kLimitRatio:
    case AggregateOp::kTopk:
      return true;
    default:
      return false;
  }
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}:{},", name.size(), name);
  return text;
}

std::string matchers_text(const model::Matchers& matchers) {
  std::string text;
  for (const model::Matcher& matcher : matchers) text += matcher.to_string() + ",";
  return text;
}

}  // namespace

// Walks the tree once, children first.
class QueryPlanner {
 public:
  QueryPlanner(QueryPlan& plan, const Steps& steps, const QueryLimits& limits)
      : plan_(plan), limits_(limits) {
    scope_.step_ms = steps.step_ms;
    scope_.range_ms = steps.end_ms - steps.start_ms;
  }

  // What a node inherits from those round it: the times between which it is evaluated, and whether
  // any of them needs its rows in label order.
  struct Span {
    int64_t first_ms = 0;
    int64_t last_ms = 0;
    bool ordered = true;
    // Of an aggregation right above a selector, or above a function of its range; else nothing.
    const Grouping* grouping = nullptr;
    bool counted = false;   // that aggregation does not look at values
    bool at_steps = false;  // of the query, not of a subquery
  };

  Status visit(const Expr& expr, Span span, std::string_view function) {
    switch (expr.kind) {
      case Expr::Kind::kNumber:
      case Expr::Kind::kString:
      case Expr::Kind::kDuration:
        return literal(expr);
      case Expr::Kind::kVectorSelector:
        return selector(*as<VectorSelector>(expr), 0, span, function);
      case Expr::Kind::kMatrixSelector:
        return matrix(*as<MatrixSelector>(expr), span, function);
      case Expr::Kind::kSubquery:
        return subquery(*as<Subquery>(expr), span);
      case Expr::Kind::kCall:
        return call(*as<Call>(expr), span);
      case Expr::Kind::kAggregation:
        return aggregation(*as<Aggregation>(expr), span);
      case Expr::Kind::kBinary:
        return binary(*as<BinaryExpr>(expr), span);
      case Expr::Kind::kUnary:
        return wrapped(expr, *as<UnaryExpr>(expr)->expr, span, function,
                       as<UnaryExpr>(expr)->negative ? "-" : "+");
      case Expr::Kind::kParen:
        return wrapped(expr, *as<ParenExpr>(expr)->expr, span, function, "");
    }
    return {};
  }

 private:
  // Equal `text`, equal part. What stands inside a part that was there before is not used again.
  QueryPlan::Node& put(const Expr& expr, bool invariant, const std::string& text,
                       const std::vector<const Expr*>& inside = {}) {
    QueryPlan::Node& node = plan_.nodes_[&expr];
    node.invariant = invariant;
    const auto [it, added] = parts_.emplace(text, static_cast<uint32_t>(parts_.size()));
    node.part = it->second;
    if (added) plan_.part_uses_.push_back(0);
    ++plan_.part_uses_[node.part];
    if (!added) {
      for (const Expr* child : inside) --plan_.part_uses_[of(*child).part];
    }
    return node;
  }
  const QueryPlan::Node& of(const Expr& expr) const { return plan_.node(expr); }

  Status literal(const Expr& expr) {
    if (const auto* number = as<NumberLiteral>(expr)) {
      put(expr, true, fmt::format("n{:x}", std::bit_cast<uint64_t>(number->value)));
    } else if (const auto* text = as<StringLiteral>(expr)) {
      put(expr, true, "s" + text->value);
    }
    return {};
  }

  std::optional<int64_t> at(const AtModifier& modifier) const {
    switch (modifier.kind) {
      case AtModifier::Kind::kNone:
        return std::nullopt;
      case AtModifier::Kind::kTime:
        return std::clamp(modifier.time_ms, -kFarthestMs, kFarthestMs);
      case AtModifier::Kind::kStart:
        return plan_.steps_.start_ms;
      case AtModifier::Kind::kEnd:
        return plan_.steps_.end_ms;
    }
    return std::nullopt;
  }

  Status selector(const VectorSelector& selector, int64_t range_ms, Span span,
                  std::string_view function) {
    TimePlan time;
    time.range_ms = range_ms;
    TRY_ASSIGN(time.offset_ms, duration_ms(selector.offset, scope_, true));
    time.at_ms = at(selector.at);
    ReadPlan read = what_it_reads(selector, time, span);
    read.function = function;
    read.any_order = !span.ordered;
    const bool plain = !selector.anchored && !selector.smoothed;
    if (span.grouping != nullptr) {
      read.labels = span.grouping->labels;
      // Functions of ranges look at the name, for annotations.
      if (range_ms > 0) read.labels->emplace_back(model::kMetricName);
    }
    read.newest_only =
        plain && range_ms == 0 && (time.at_ms.has_value() || span.first_ms == span.last_ms);
    if (plain && range_ms == 0 && span.at_steps && !time.at_ms && span.first_ms < span.last_ms) {
      const Steps& steps = plan_.query_steps();
      read.newest_at = {steps.start_ms - time.offset_ms, steps.step_ms, steps.count()};
    }
    read.any_number = plain && range_ms == 0 && span.counted;
    const std::string matchers = matchers_text(read.matchers);
    const std::string text =
        fmt::format("v{}|{}|{}|{}{}|{}", matchers, range_ms, time.offset_ms,
                    time.at_ms ? fmt::format("@{}", *time.at_ms) : "", selector.anchored ? "a" : "",
                    selector.smoothed ? "s" : "");
    QueryPlan::Node& node = put(selector, time.at_ms.has_value(), text);
    node.time = time;
    node.read = read_by(matchers, std::move(read));
    return {};
  }

  ReadPlan what_it_reads(const VectorSelector& selector, const TimePlan& time, Span span) const {
    ReadPlan read;
    read.matchers = selector.matchers;
    read.range_ms = time.range_ms;
    read.min_ms = time.at_ms.value_or(span.first_ms) - time.offset_ms;
    read.max_ms = time.at_ms.value_or(span.last_ms) - time.offset_ms;
    // Both windows and the lookback are open at their old end.
    read.min_ms -= (time.range_ms > 0 ? time.range_ms : limits_.lookback_ms) - 1;
    const bool extended = selector.anchored || selector.smoothed;
    if (extended && time.range_ms > 0) read.min_ms -= limits_.lookback_ms;
    if (selector.smoothed) read.max_ms += limits_.lookback_ms;
    return read;
  }

  // Reads that overlap are one; what lies between two that do not is not read.
  size_t read_by(const std::string& matchers, ReadPlan read) {
    read.uses = 1;
    std::vector<size_t>& same = reads_[matchers];
    for (const size_t i : same) {
      ReadPlan& other = plan_.reads_[i];
      if (other.min_ms > read.max_ms || other.max_ms < read.min_ms) continue;
      other.newest_only = other.newest_only && read.newest_only && other.max_ms == read.max_ms;
      other.any_number = other.any_number && read.any_number;
      if (other.newest_at != read.newest_at) other.newest_at.reset();
      if (!read.labels) other.labels.reset();
      if (other.labels)
        other.labels->insert(other.labels->end(), read.labels->begin(), read.labels->end());
      other.min_ms = std::min(other.min_ms, read.min_ms);
      other.max_ms = std::max(other.max_ms, read.max_ms);
      other.any_order = other.any_order && read.any_order;
      ++other.uses;
      return i;
    }
    same.push_back(plan_.reads_.size());
    plan_.reads_.push_back(std::move(read));
    return same.back();
  }

  Status matrix(const MatrixSelector& matrix, Span span, std::string_view function) {
    TRY_ASSIGN(const int64_t range_ms, duration_ms(matrix.range, scope_, false));
    TRY(selector(*matrix.selector, range_ms, span, function));
    const QueryPlan::Node inner = of(*matrix.selector);
    put(matrix, inner.invariant, fmt::format("m{}", inner.part), {matrix.selector.get()}).time =
        inner.time;
    return {};
  }

  Status subquery(const Subquery& subquery, Span span) {
    TimePlan time;
    TRY_ASSIGN(time.range_ms, duration_ms(subquery.range, scope_, false));
    TRY_ASSIGN(time.offset_ms, duration_ms(subquery.offset, scope_, true));
    time.step_ms = limits_.default_step_ms;
    if (subquery.step) {
      TRY_ASSIGN(const int64_t step_ms, duration_ms(*subquery.step, scope_, false));
      if (step_ms > 0) time.step_ms = step_ms;  // less than a millisecond: as if there were none
    }
    time.at_ms = at(subquery.at);
    const Span inner{time.at_ms.value_or(span.first_ms) - time.offset_ms - time.range_ms,
                     time.at_ms.value_or(span.last_ms) - time.offset_ms, span.ordered};
    TRY(visit(*subquery.expr, inner, ""));
    put(subquery, time.at_ms.has_value(),
        fmt::format("q{}|{}|{}|{}|{}", of(*subquery.expr).part, time.range_ms, time.offset_ms,
                    time.step_ms, time.at_ms ? fmt::format("@{}", *time.at_ms) : ""),
        {subquery.expr.get()})
        .time = time;
    return {};
  }

  // The second argument selects what the first is joined with, at the times of the first.
  Status info(const Call& call, Span span) {
    span.grouping = nullptr;
    span.counted = false;
    TRY(visit(*call.args[0], span, "info"));
    const TimePlan time = info_time(call, plan_);
    ReadPlan read;
    TRY_ASSIGN(read.matchers, info_matchers(call));
    read.function = "info";
    read.min_ms = time.at_ms.value_or(span.first_ms) - time.offset_ms - (limits_.lookback_ms - 1);
    read.max_ms = time.at_ms.value_or(span.last_ms) - time.offset_ms;
    const std::string matchers = matchers_text(read.matchers);
    QueryPlan::Node& node =
        put(call, of(*call.args[0]).invariant,
            fmt::format("i{}|{}", of(*call.args[0]).part, matchers), {call.args[0].get()});
    node.time = time;
    node.read = read_by(matchers, std::move(read));
    return {};
  }

  Status call(const Call& call, Span span) {
    const std::string_view name = call.function->name;
    if (name == "info") return info(call, span);
    bool invariant = !depends_on_step(name);
    std::string text = fmt::format("f{}(", name);
    for (const ExprPtr& arg : call.args) {
      Span inner = span;
      inner.counted = false;
      if (as<MatrixSelector>(without_parens(*arg)) == nullptr) inner.grouping = nullptr;
      TRY(visit(*arg, inner, name));
      const QueryPlan::Node& node = of(*arg);
      invariant = invariant && node.invariant;
      text += fmt::format("{},", node.part);
    }
    // The time of a sample is the same at each step when the sample is.
    if (name == "timestamp" && call.args[0]->kind == Expr::Kind::kVectorSelector)
      invariant = of(*call.args[0]).invariant;
    std::vector<const Expr*> args;
    for (const ExprPtr& arg : call.args) args.push_back(arg.get());
    put(call, invariant, text, args);
    return {};
  }

  Status aggregation(const Aggregation& aggregation, Span span) {
    Span inner = span;
    inner.ordered = needs_order(aggregation.op);
    const bool grouped = !inner.ordered && !aggregation.grouping.without;
    inner.grouping = grouped ? &aggregation.grouping : nullptr;
    inner.counted = aggregation.op == AggregateOp::kCount || aggregation.op == AggregateOp::kGroup;
    TRY(visit(*aggregation.expr, inner, aggregate_name(aggregation.op)));
    std::string text = fmt::format("a{}{}(", aggregate_name(aggregation.op),
                                   aggregation.grouping.without ? " without" : " by");
    text += names_text(aggregation.grouping.labels);
    text += fmt::format("){}", of(*aggregation.expr).part);
    if (aggregation.param != nullptr) {
      span.grouping = nullptr;
      span.counted = false;
      TRY(visit(*aggregation.param, span, ""));
      text += fmt::format("|{}", of(*aggregation.param).part);
    }
    put(aggregation, of(*aggregation.expr).invariant, text, {aggregation.expr.get()});
    return {};
  }

  Status binary(const BinaryExpr& binary, Span span) {
    span.grouping = nullptr;
    span.counted = false;
    TRY(visit(*binary.lhs, span, ""));
    TRY(visit(*binary.rhs, span, ""));
    std::string text =
        fmt::format("b{}{}|{}|{}", binary_op_text(binary.op), binary.return_bool ? " bool" : "",
                    of(*binary.lhs).part, of(*binary.rhs).part);
    if (binary.matching) text += matching_text(*binary.matching);
    put(binary, of(*binary.lhs).invariant && of(*binary.rhs).invariant, text,
        {binary.lhs.get(), binary.rhs.get()});
    return {};
  }

  static std::string matching_text(const VectorMatching& matching) {
    std::string text =
        fmt::format("|{}{}(", cardinality_text(matching.card), matching.on ? " on" : " ignoring");
    text += names_text(matching.labels) + ")(" + names_text(matching.include);
    const auto fill = [&](const std::optional<double>& value) {
      if (value) text += fmt::format("{:x}", std::bit_cast<uint64_t>(*value));
      text += "|";
    };
    fill(matching.fill_lhs);
    fill(matching.fill_rhs);
    return text;
  }

  Status wrapped(const Expr& expr, const Expr& inner, Span span, std::string_view function,
                 std::string_view sign) {
    if (!sign.empty()) {
      span.grouping = nullptr;
      span.counted = false;
    }
    TRY(visit(inner, span, function));
    const QueryPlan::Node node = of(inner);
    put(expr, node.invariant, fmt::format("p{}{}", sign, node.part), {&inner}).time = node.time;
    return {};
  }

  QueryPlan& plan_;
  const QueryLimits& limits_;
  DurationScope scope_;
  std::unordered_map<std::string, uint32_t> parts_;             // by what they are made of
  std::unordered_map<std::string, std::vector<size_t>> reads_;  // by matchers
};

Result<QueryPlan> QueryPlan::make(const Expr& expr, const Steps& steps, const QueryLimits& limits) {
  QueryPlan plan;
  plan.steps_ = steps;
  QueryPlanner planner(plan, steps, limits);
  TRY(planner.visit(expr, {.first_ms = steps.start_ms, .last_ms = steps.end_ms, .at_steps = true},
                    ""));
  return plan;
}

const QueryPlan::Node& QueryPlan::node(const Expr& expr) const {
  const auto found = nodes_.find(&expr);
  CHECK(found != nodes_.end());
  return found->second;
}

const TimePlan& QueryPlan::time_of(const Expr& expr) const { return node(expr).time; }
bool QueryPlan::step_invariant(const Expr& expr) const { return node(expr).invariant; }
size_t QueryPlan::read_of(const Expr& expr) const { return node(expr).read; }

std::optional<uint32_t> QueryPlan::repeated(const Expr& expr) const {
  const uint32_t part = node(expr).part;
  if (part_uses_[part] < 2) return std::nullopt;
  return part;
}

std::optional<Steps> QueryPlan::subquery_steps(const Subquery& subquery, const Steps& outer) const {
  const TimePlan& time = time_of(subquery);
  const int64_t last_outer_ms = outer.at(outer.count() - 1);
  const int64_t first_ms = time.at_ms.value_or(outer.start_ms) - time.offset_ms - time.range_ms;
  Steps steps;
  steps.step_ms = time.step_ms;
  steps.end_ms = time.at_ms.value_or(last_outer_ms) - time.offset_ms;
  // The first multiple of the step after the window's open end.
  steps.start_ms = time.step_ms * (first_ms / time.step_ms);
  if (steps.start_ms <= first_ms) steps.start_ms += time.step_ms;
  if (steps.end_ms < steps.start_ms) return std::nullopt;
  return steps;
}

}  // namespace binnacle::query::promql
