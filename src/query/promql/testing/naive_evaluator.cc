#include "query/promql/testing/naive_evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "model/sample.h"
#include "query/promql/function_table.h"

namespace binnacle::query::promql::testing {
namespace {

constexpr int64_t kLookbackMs = 300'000;
constexpr int64_t kSubqueryStepMs = 60'000;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool matches(const model::Matchers& matchers, const LabelMap& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const model::Matcher& matcher) {
    const auto label = labels.find(matcher.name());
    return matcher.matches(label == labels.end() ? "" : label->second);
  });
}

NaiveValue scalar_value(double value) {
  NaiveValue out;
  out.type = ValueType::kScalar;
  out.scalar = value;
  return out;
}

NaiveValue vector_value(NaiveVector vector) {
  NaiveValue out;
  out.vector = std::move(vector);
  return out;
}

Unexpected same_labels() {
  return fail(Code::kOutOfRange, "vector cannot contain metrics with the same labelset");
}

Unexpected unknown(std::string_view what) {
  return fail(Code::kUnimplemented, "the oracle does not know " + std::string(what));
}

LabelMap grouped(const LabelMap& labels, const Grouping& grouping) {
  const auto named = [&](const std::string& name) {
    return std::find(grouping.labels.begin(), grouping.labels.end(), name) != grouping.labels.end();
  };
  LabelMap out;
  for (const auto& [name, value] : labels) {
    const bool stays = grouping.without ? !named(name) && name != "__name__" : named(name);
    if (stays) out[name] = value;
  }
  return out;
}

// What absent() knows of the missing series: what its selector asks for by equality, once.
LabelMap labels_asked_for(const Expr& argument) {
  const auto* selector = as<VectorSelector>(without_parens(argument));
  if (const auto* range = as<MatrixSelector>(without_parens(argument)))
    selector = range->selector.get();
  LabelMap out;
  std::set<std::string> twice;
  if (selector == nullptr) return out;
  for (const model::Matcher& matcher : selector->matchers) {
    if (matcher.name() == "__name__") continue;
    if (matcher.op() == model::MatchOp::kEqual && !out.contains(matcher.name()) &&
        !twice.contains(matcher.name())) {
      out[matcher.name()] = matcher.value();
    } else {
      out.erase(matcher.name());
      twice.insert(matcher.name());
    }
  }
  return out;
}

}  // namespace

Result<NaiveAnswer> NaiveEvaluator::answer(const Expr& expr, const NaiveQuery& query) {
  query_ = query;
  NaiveAnswer out;
  for (int64_t at_ms = query.start_ms; at_ms <= query.end_ms; at_ms += query.step_ms) {
    TRY_ASSIGN(NaiveValue value, eval(expr, at_ms));
    if (value.type == ValueType::kScalar) value.vector = {{{}, false, value.scalar}};
    for (NaiveElement& element : value.vector) {
      if (element.drop_name) element.labels.erase("__name__");
      if (!out[element.labels].emplace(at_ms, element.value).second) return same_labels();
    }
    if (query.step_ms == 0) break;
  }
  return out;
}

Result<NaiveValue> NaiveEvaluator::eval(const Expr& expr, int64_t at_ms) {
  if (const auto* number = as<NumberLiteral>(expr)) return scalar_value(number->value);
  if (const auto* text = as<StringLiteral>(expr)) {
    NaiveValue out;
    out.type = ValueType::kString;
    out.text = text->value;
    return out;
  }
  if (const auto* paren = as<ParenExpr>(expr)) return eval(*paren->expr, at_ms);
  if (const auto* selector = as<VectorSelector>(expr)) {
    TRY_ASSIGN(NaiveVector found, select(*selector, at_ms));
    return vector_value(std::move(found));
  }
  if (const auto* selector = as<MatrixSelector>(expr)) {
    NaiveValue out;
    out.type = ValueType::kMatrix;
    TRY_ASSIGN(out.matrix, select_range(*selector, at_ms));
    return out;
  }
  if (const auto* subquery = as<Subquery>(expr)) return eval_subquery(*subquery, at_ms);
  if (const auto* call = as<Call>(expr)) return eval_call(*call, at_ms);
  if (const auto* aggregation = as<Aggregation>(expr)) return eval_aggregation(*aggregation, at_ms);
  if (const auto* binary = as<BinaryExpr>(expr)) return eval_binary(*binary, at_ms);
  const auto* unary = as<UnaryExpr>(expr);
  if (unary == nullptr) return unknown("such a node");
  TRY_ASSIGN(NaiveValue value, eval(*unary->expr, at_ms));
  if (!unary->negative) return value;
  value.scalar = -value.scalar;
  for (NaiveElement& element : value.vector) {
    element.value = -element.value;
    element.drop_name = true;
  }
  return value;
}

Result<int64_t> NaiveEvaluator::shifted(int64_t at_ms, const AtModifier& at,
                                        const Duration& offset) const {
  if (at.kind == AtModifier::Kind::kTime) at_ms = at.time_ms;
  if (at.kind == AtModifier::Kind::kStart) at_ms = query_.start_ms;
  if (at.kind == AtModifier::Kind::kEnd) at_ms = query_.end_ms;
  TRY_ASSIGN(const int64_t offset_ms, length_ms(offset, true));
  return at_ms - offset_ms;
}

std::optional<std::pair<int64_t, double>> NaiveEvaluator::newest_sample(const NaiveSeries& series,
                                                                        int64_t at_ms) {
  auto newest = series.samples.upper_bound(at_ms);
  if (newest == series.samples.begin()) return std::nullopt;
  --newest;
  if (newest->first <= at_ms - kLookbackMs || model::is_stale(newest->second)) return std::nullopt;
  return *newest;
}

Result<NaiveVector> NaiveEvaluator::select(const VectorSelector& selector, int64_t at_ms) const {
  TRY_ASSIGN(const int64_t time_ms, shifted(at_ms, selector.at, selector.offset));
  NaiveVector out;
  for (const NaiveSeries& series : data_) {
    if (!matches(selector.matchers, series.labels)) continue;
    if (selector.smoothed) {
      if (const auto value = naive_smoothed_value(series.samples, time_ms, kLookbackMs))
        out.push_back({series.labels, false, *value});
    } else if (const auto newest = newest_sample(series, time_ms)) {
      out.push_back({series.labels, false, newest->second});
    }
  }
  return out;
}

Result<std::vector<NaiveSeries>> NaiveEvaluator::select_range(const MatrixSelector& selector,
                                                              int64_t at_ms) const {
  const VectorSelector& inner = *selector.selector;
  TRY_ASSIGN(int64_t end_ms, shifted(at_ms, inner.at, inner.offset));
  TRY_ASSIGN(const int64_t range_ms, length_ms(selector.range, false));
  int64_t start_ms = end_ms - range_ms;
  if (inner.anchored || inner.smoothed) start_ms -= kLookbackMs;
  if (inner.smoothed) end_ms += kLookbackMs;
  std::vector<NaiveSeries> out;
  for (const NaiveSeries& series : data_) {
    if (!matches(selector.selector->matchers, series.labels)) continue;
    NaiveSeries part{series.labels, {}, false};
    for (const auto& [sample_ms, value] : series.samples) {
      if (sample_ms > start_ms && sample_ms <= end_ms && !model::is_stale(value))
        part.samples[sample_ms] = value;
    }
    if (!part.samples.empty()) out.push_back(std::move(part));
  }
  return out;
}

Result<NaiveValue> NaiveEvaluator::eval_subquery(const Subquery& subquery, int64_t at_ms) {
  TRY_ASSIGN(const int64_t end_ms, shifted(at_ms, subquery.at, subquery.offset));
  TRY_ASSIGN(const int64_t range_ms, length_ms(subquery.range, false));
  int64_t step_ms = kSubqueryStepMs;
  if (subquery.step) {
    TRY_ASSIGN(step_ms, length_ms(*subquery.step, false));
  }
  std::map<std::pair<LabelMap, bool>, NaiveSeries> series;
  const int64_t start_ms = end_ms - range_ms;
  int64_t time_ms = start_ms / step_ms * step_ms;
  while (time_ms <= start_ms) time_ms += step_ms;  // open on the left
  for (; time_ms <= end_ms; time_ms += step_ms) {
    TRY_ASSIGN(NaiveValue value, eval(*subquery.expr, time_ms));
    if (value.type == ValueType::kScalar) value.vector = {{{}, false, value.scalar}};
    for (const NaiveElement& element : value.vector) {
      NaiveSeries& into = series[{element.labels, element.drop_name}];
      into.labels = element.labels;
      into.drop_name = element.drop_name;
      into.samples[time_ms] = element.value;
    }
  }
  NaiveValue out;
  out.type = ValueType::kMatrix;
  for (auto& [key, each] : series) out.matrix.push_back(std::move(each));
  return out;
}

Result<NaiveValue> NaiveEvaluator::eval_call(const Call& call, int64_t at_ms) {
  const std::string_view name = call.function->name;
  std::vector<NaiveValue> args;
  std::vector<double> scalars;
  for (const ExprPtr& arg : call.args) {
    TRY_ASSIGN(NaiveValue value, eval(*arg, at_ms));
    if (value.type == ValueType::kScalar) scalars.push_back(value.scalar);
    args.push_back(std::move(value));
  }
  if (name == "time") return scalar_value(static_cast<double>(at_ms) / 1000);
  if (name == "pi") return scalar_value(std::acos(-1.0));
  if (name == "vector") return vector_value({{{}, false, scalars.at(0)}});
  if (name == "scalar")
    return scalar_value(args.at(0).vector.size() == 1 ? args[0].vector[0].value : kNan);
  if (name == "absent" || name == "absent_over_time") {
    if (!args.at(0).vector.empty() || !args[0].matrix.empty()) return vector_value({});
    return vector_value({{labels_asked_for(*call.args[0]), false, 1}});
  }
  if (name == "label_join") {
    for (NaiveElement& element : args.at(0).vector) {
      std::string joined;
      for (size_t i = 3; i < args.size(); ++i)
        joined += (i > 3 ? args[2].text : "") + element.labels[args[i].text];
      std::erase_if(element.labels, [](const auto& label) { return label.second.empty(); });
      element.labels[args[1].text] = joined;
    }
    return args[0];
  }
  if (name == "sort" || name == "sort_desc") return args.at(0);
  if (name == "info") {
    TRY_ASSIGN(NaiveVector with, add_info(call, args.at(0).vector, at_ms));
    return vector_value(std::move(with));
  }
  const auto range = std::find_if(args.begin(), args.end(), [](const NaiveValue& value) {
    return value.type == ValueType::kMatrix;
  });
  NaiveVector out;
  if (range != args.end()) {
    const Expr& argument = without_parens(*call.args[static_cast<size_t>(range - args.begin())]);
    const auto* selector = as<MatrixSelector>(argument);
    const auto* subquery = as<Subquery>(argument);
    if (selector == nullptr && subquery == nullptr) return unknown("such a range");
    NaiveWindow window;
    TRY_ASSIGN(window.end_ms,
               selector ? shifted(at_ms, selector->selector->at, selector->selector->offset)
                        : shifted(at_ms, subquery->at, subquery->offset));
    TRY_ASSIGN(const int64_t range_ms,
               length_ms(selector ? selector->range : subquery->range, false));
    window.start_ms = window.end_ms - range_ms;
    window.at_ms = at_ms;
    window.scalars = scalars;
    const bool keeps_name = name == "last_over_time" || name == "first_over_time";
    const VectorSelector* const inner = selector ? selector->selector.get() : nullptr;
    const bool extended = inner != nullptr && (inner->anchored || inner->smoothed);
    for (const NaiveSeries& series : range->matrix) {
      window.samples.assign(series.samples.begin(), series.samples.end());
      double value = 0;
      TRY_ASSIGN(const bool there,
                 extended ? naive_extended_function(name, inner->smoothed, window, value)
                          : naive_range_function(name, window, value));
      if (there) out.push_back({series.labels, series.drop_name || !keeps_name, value});
    }
    return vector_value(std::move(out));
  }
  if (args.empty() || args[0].type != ValueType::kVector) return unknown(name);
  if (name == "clamp" && scalars.at(0) > scalars.at(1)) return vector_value({});
  for (const NaiveElement& element : args[0].vector) {
    TRY_ASSIGN(const double value, naive_math(name, element.value, scalars));
    out.push_back({element.labels, true, value});
  }
  return vector_value(std::move(out));
}

namespace {

Result<double> aggregated(AggregateOp op, double param, const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  double squares = 0;
  for (const double value : values) squares += (value - sum / count) * (value - sum / count);
  double least = kNan;
  double most = kNan;
  for (const double value : values) {
    if (std::isnan(least) || value < least) least = value;
    if (std::isnan(most) || value > most) most = value;
  }
  switch (op) {
    case AggregateOp::kSum:
      return sum;
    case AggregateOp::kAvg:
      return sum / count;
    case AggregateOp::kCount:
      return count;
    case AggregateOp::kGroup:
      return 1.0;
    case AggregateOp::kMin:
      return least;
    case AggregateOp::kMax:
      return most;
    case AggregateOp::kStdvar:
      return squares / count;
    case AggregateOp::kStddev:
      return std::sqrt(squares / count);
    case AggregateOp::kQuantile:
      return naive_quantile(param, values);
    default:
      return unknown("such an aggregation");
  }
}

// topk and bottomk: NaN comes last in both.
NaiveVector chosen(bool greatest, size_t k, NaiveVector group) {
  std::stable_sort(group.begin(), group.end(), [&](const NaiveElement& a, const NaiveElement& b) {
    if (std::isnan(a.value) || std::isnan(b.value))
      return std::isnan(b.value) && !std::isnan(a.value);
    return greatest ? a.value > b.value : a.value < b.value;
  });
  if (group.size() > k) group.resize(k);
  return group;
}

}  // namespace

Result<NaiveValue> NaiveEvaluator::eval_aggregation(const Aggregation& aggregation, int64_t at_ms) {
  NaiveValue param;
  if (aggregation.param != nullptr) {
    TRY_ASSIGN(param, eval(*aggregation.param, at_ms));
  }
  TRY_ASSIGN(const NaiveValue input, eval(*aggregation.expr, at_ms));
  std::map<LabelMap, NaiveVector> groups;
  for (const NaiveElement& element : input.vector)
    groups[grouped(element.labels, aggregation.grouping)].push_back(element);
  NaiveVector out;
  for (const auto& [labels, group] : groups) {
    if (aggregation.op == AggregateOp::kTopk || aggregation.op == AggregateOp::kBottomk ||
        aggregation.op == AggregateOp::kLimitk) {
      const auto k = static_cast<size_t>(std::max(0.0, param.scalar));
      const NaiveVector kept =
          aggregation.op == AggregateOp::kLimitk
              ? NaiveVector(group.begin(),
                            group.begin() + static_cast<ptrdiff_t>(std::min(k, group.size())))
              : chosen(aggregation.op == AggregateOp::kTopk, k, group);
      out.insert(out.end(), kept.begin(), kept.end());
      continue;
    }
    std::vector<double> values;
    for (const NaiveElement& element : group) values.push_back(element.value);
    TRY_ASSIGN(const double value, aggregated(aggregation.op, param.scalar, values));
    out.push_back({labels, false, value});
  }
  return vector_value(std::move(out));
}

Result<NaiveValue> NaiveEvaluator::eval_binary(const BinaryExpr& binary, int64_t at_ms) {
  TRY_ASSIGN(const NaiveValue lhs, eval(*binary.lhs, at_ms));
  TRY_ASSIGN(const NaiveValue rhs, eval(*binary.rhs, at_ms));
  const bool compares = is_comparison(binary.op);
  const auto number = [&](double a, double b) {
    return compares ? static_cast<double>(naive_compare(binary.op, a, b))
                    : naive_arithmetic(binary.op, a, b);
  };
  if (lhs.type == ValueType::kScalar && rhs.type == ValueType::kScalar)
    return scalar_value(number(lhs.scalar, rhs.scalar));
  if (lhs.type == ValueType::kVector && rhs.type == ValueType::kVector) {
    TRY_ASSIGN(NaiveVector out, naive_vector_operator(binary, lhs.vector, rhs.vector));
    return vector_value(std::move(out));
  }
  const bool vector_left = lhs.type == ValueType::kVector;
  NaiveVector out;
  for (NaiveElement element : vector_left ? lhs.vector : rhs.vector) {
    const double a = vector_left ? element.value : lhs.scalar;
    const double b = vector_left ? rhs.scalar : element.value;
    if (compares && !binary.return_bool) {
      if (naive_compare(binary.op, a, b)) out.push_back(element);
      continue;
    }
    element.value = number(a, b);
    element.drop_name = true;
    out.push_back(std::move(element));
  }
  return vector_value(std::move(out));
}

}  // namespace binnacle::query::promql::testing
