#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "query/promql/testing/naive_evaluator.h"

namespace binnacle::query::promql::testing {
namespace {

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

LabelMap match_group(const VectorMatching& matching, const LabelMap& labels) {
  LabelMap out;
  for (const auto& [name, value] : labels) {
    const bool counts = matching.on ? among(matching.labels, name)
                                    : !among(matching.labels, name) && name != "__name__";
    if (counts) out[name] = value;
  }
  return out;
}

NaiveVector set_operator(const BinaryExpr& binary, const NaiveVector& lhs, const NaiveVector& rhs) {
  const auto groups = [&](const NaiveVector& side) {
    std::set<LabelMap> out;
    for (const NaiveElement& element : side)
      out.insert(match_group(*binary.matching, element.labels));
    return out;
  };
  const bool is_or = binary.op == BinaryOp::kOr;
  const std::set<LabelMap> other = groups(is_or ? lhs : rhs);
  NaiveVector out = is_or ? lhs : NaiveVector();
  for (const NaiveElement& element : is_or ? rhs : lhs) {
    const bool there = other.contains(match_group(*binary.matching, element.labels));
    if (there == (binary.op == BinaryOp::kAnd)) out.push_back(element);
  }
  return out;
}

// One pair of elements that match, the one with many beside it first. By the documentation
// fill_left stands for what is missing on the left; with group_right Prometheus, and its own test
// scripts, take it for the side that may have many, which then is the right one.
class Join {
 public:
  explicit Join(const BinaryExpr& binary)
      : binary_(binary),
        matching_(*binary.matching),
        swapped_(matching_.card == Cardinality::kOneToMany) {}

  Result<NaiveVector> run(const NaiveVector& lhs, const NaiveVector& rhs) {
    const bool fills = matching_.fill_lhs || matching_.fill_rhs;
    if ((lhs.empty() && rhs.empty()) || ((lhs.empty() || rhs.empty()) && !fills)) return out_;
    const NaiveVector& many = swapped_ ? rhs : lhs;
    std::map<LabelMap, NaiveElement> ones;
    for (const NaiveElement& one : swapped_ ? lhs : rhs) {
      if (!ones.emplace(match_group(matching_, one.labels), one).second)
        return fail(Code::kOutOfRange, "found duplicate series for the match group");
    }
    for (const NaiveElement& element : many) {
      const LabelMap group = match_group(matching_, element.labels);
      const auto one = ones.find(group);
      if (one != ones.end()) {
        TRY(pair(group, element, one->second));
      } else if (matching_.fill_rhs) {
        TRY(pair(group, element, {group, false, *matching_.fill_rhs}));
      }
    }
    if (!matching_.fill_lhs) return std::move(out_);
    for (const auto& [group, one] : ones) {
      if (!seen_.contains(group)) TRY(pair(group, {group, false, *matching_.fill_lhs}, one));
    }
    return std::move(out_);
  }

 private:
  Status pair(const LabelMap& group, const NaiveElement& many, const NaiveElement& one) {
    NaiveElement result = many;
    const bool filters = is_comparison(binary_.op) && !binary_.return_bool;
    if (!is_comparison(binary_.op)) result.labels.erase("__name__");
    if (matching_.card == Cardinality::kOneToOne) {
      std::erase_if(result.labels, [&](const auto& label) {
        return among(matching_.labels, label.first) != matching_.on;
      });
    }
    for (const std::string& name : matching_.include) {
      result.labels.erase(name);
      if (const auto label = one.labels.find(name); label != one.labels.end())
        result.labels.insert(*label);
    }
    const bool first = seen_[group].insert(result.labels).second;
    if (!first || (matching_.card == Cardinality::kOneToOne && seen_[group].size() > 1))
      return fail(Code::kOutOfRange, "multiple matches for labels");
    const double a = swapped_ ? one.value : many.value;
    const double b = swapped_ ? many.value : one.value;
    const bool takes_name = among(matching_.include, "__name__");
    result.drop_name =
        binary_.return_bool || (takes_name ? one.drop_name : filters && many.drop_name);
    if (filters) {
      if (!naive_compare(binary_.op, a, b)) return {};
      result.value = a;
    } else {
      result.value = is_comparison(binary_.op)
                         ? static_cast<double>(naive_compare(binary_.op, a, b))
                         : naive_arithmetic(binary_.op, a, b);
    }
    out_.push_back(std::move(result));
    return {};
  }

  const BinaryExpr& binary_;
  const VectorMatching& matching_;
  const bool swapped_;
  std::map<LabelMap, std::set<LabelMap>> seen_;  // results of a group
  NaiveVector out_;
};

}  // namespace

double naive_arithmetic(BinaryOp op, double lhs, double rhs) {
  switch (op) {
    case BinaryOp::kAdd:
      return lhs + rhs;
    case BinaryOp::kSub:
      return lhs - rhs;
    case BinaryOp::kMul:
      return lhs * rhs;
    case BinaryOp::kDiv:
      return lhs / rhs;
    case BinaryOp::kMod:
      return std::fmod(lhs, rhs);
    case BinaryOp::kPow:
      return std::pow(lhs, rhs);
    default:
      return std::atan2(lhs, rhs);
  }
}

bool naive_compare(BinaryOp op, double lhs, double rhs) {
  switch (op) {
    case BinaryOp::kEqual:
      return lhs == rhs;
    case BinaryOp::kNotEqual:
      return lhs != rhs;
    case BinaryOp::kGreater:
      return lhs > rhs;
    case BinaryOp::kLess:
      return lhs < rhs;
    case BinaryOp::kGreaterOrEqual:
      return lhs >= rhs;
    default:
      return lhs <= rhs;
  }
}

Result<NaiveVector> naive_vector_operator(const BinaryExpr& binary, const NaiveVector& lhs,
                                          const NaiveVector& rhs) {
  if (is_set_operator(binary.op)) return set_operator(binary, lhs, rhs);
  return Join(binary).run(lhs, rhs);
}

}  // namespace binnacle::query::promql::testing
