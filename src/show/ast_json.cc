#include "show/ast_json.h"

#include <nlohmann/json.hpp>

#include "base/float_text.h"
#include "query/promql/function_table.h"

namespace binnacle::show {
namespace {

using nlohmann::json;
using namespace query::promql;

json tree(const Expr& expr);

json tree(const ExprPtr& expr) { return expr == nullptr ? json() : tree(*expr); }

std::string number_text(double value) {
  std::string out;
  append_float_json(out, value);
  return out;
}

json at_time(const AtModifier& at) {
  return at.kind == AtModifier::Kind::kTime ? json(at.time_ms) : json();
}

json start_or_end(const AtModifier& at) {
  if (at.kind == AtModifier::Kind::kStart) return "start";
  if (at.kind == AtModifier::Kind::kEnd) return "end";
  return nullptr;
}

std::string_view op_text(model::MatchOp op) {
  switch (op) {
    case model::MatchOp::kEqual:
      return "=";
    case model::MatchOp::kNotEqual:
      return "!=";
    case model::MatchOp::kRegex:
      return "=~";
    case model::MatchOp::kNotRegex:
      return "!~";
  }
  return "=";
}

json selector_tree(const VectorSelector& selector, std::string_view type) {
  json matchers = json::array();
  for (const model::Matcher& matcher : selector.matchers) {
    matchers.push_back(
        {{"name", matcher.name()}, {"value", matcher.value()}, {"type", op_text(matcher.op())}});
  }
  return {{"type", type},
          {"name", selector.name},
          {"offset", selector.offset.ms},
          {"matchers", std::move(matchers)},
          {"timestamp", at_time(selector.at)},
          {"startOrEnd", start_or_end(selector.at)},
          {"anchored", selector.anchored},
          {"smoothed", selector.smoothed}};
}

json call_tree(const Call& call) {
  json args = json::array();
  for (const ExprPtr& arg : call.args) args.push_back(tree(arg));
  json types = json::array();
  for (const ValueType type : call.function->args) types.push_back(value_type_name(type));
  return {{"type", "call"},
          {"func",
           {{"name", call.function->name},
            {"argTypes", std::move(types)},
            {"variadic", call.function->variadic},
            {"returnType", value_type_name(call.function->returns)}}},
          {"args", std::move(args)}};
}

json fill_value(const std::optional<double>& value) { return value ? json(*value) : json(); }

json binary_tree(const BinaryExpr& binary) {
  json matching;
  if (const auto& m = binary.matching) {
    matching = {
        {"card", cardinality_text(m->card)},
        {"labels", m->labels},
        {"on", m->on},
        {"include", m->include},
        {"fillValues", {{"lhs", fill_value(m->fill_lhs)}, {"rhs", fill_value(m->fill_rhs)}}}};
  }
  return {
      {"type", "binaryExpr"},    {"op", binary_op_text(binary.op)}, {"lhs", tree(binary.lhs)},
      {"rhs", tree(binary.rhs)}, {"matching", std::move(matching)}, {"bool", binary.return_bool}};
}

json subquery_tree(const Subquery& subquery) {
  return {{"type", "subquery"},
          {"expr", tree(subquery.expr)},
          {"range", subquery.range.ms},
          {"offset", subquery.offset.ms},
          {"step", subquery.step ? subquery.step->ms : 0},
          {"timestamp", at_time(subquery.at)},
          {"startOrEnd", start_or_end(subquery.at)},
          {"alignEvalTime", false}};
}

json tree(const Expr& expr) {
  if (const auto* n = as<NumberLiteral>(expr))
    return {{"type", "numberLiteral"}, {"val", number_text(n->value)}};
  if (const auto* n = as<StringLiteral>(expr))
    return {{"type", "stringLiteral"}, {"val", n->value}};
  if (const auto* n = as<VectorSelector>(expr)) return selector_tree(*n, "vectorSelector");
  if (const auto* n = as<MatrixSelector>(expr)) {
    json out = selector_tree(*n->selector, "matrixSelector");
    out["range"] = n->range.ms;
    return out;
  }
  if (const auto* n = as<Subquery>(expr)) return subquery_tree(*n);
  if (const auto* n = as<Call>(expr)) return call_tree(*n);
  if (const auto* n = as<BinaryExpr>(expr)) return binary_tree(*n);
  if (const auto* n = as<ParenExpr>(expr)) return {{"type", "parenExpr"}, {"expr", tree(n->expr)}};
  if (const auto* n = as<UnaryExpr>(expr)) {
    return {{"type", "unaryExpr"}, {"op", n->negative ? "-" : "+"}, {"expr", tree(n->expr)}};
  }
  if (const auto* n = as<Aggregation>(expr)) {
    return {{"type", "aggregation"},          {"op", aggregate_name(n->op)},
            {"expr", tree(n->expr)},          {"param", tree(n->param)},
            {"grouping", n->grouping.labels}, {"without", n->grouping.without}};
  }
  return nullptr;  // a duration expression stands in a selector and is shown by its value there
}

}  // namespace

void append_expression_tree(std::string& out, const Expr& expr) {
  out += tree(expr).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace binnacle::show
