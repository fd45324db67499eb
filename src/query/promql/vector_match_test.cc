#include "query/promql/vector_match.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/random.h"
#include "query/promql/binary.h"
#include "query/promql/rows_testing.h"

namespace binnacle::query::promql {
namespace {

using testing::Evaluation;
using testing::row;
using testing::shown;

const double kNone = absent_value();

struct Asked {
  BinaryOp op = BinaryOp::kAdd;
  VectorMatching matching = {};
  bool return_bool = false;
};

Result<std::vector<OwnedRow>> rows_of(const Asked& asked, std::vector<OwnedRow> lhs,
                                      std::vector<OwnedRow> rhs, Evaluation& evaluation) {
  BinaryExpr expr;
  expr.op = asked.op;
  expr.matching = asked.matching;
  expr.return_bool = asked.return_bool;
  TRY_ASSIGN(auto rows,
             vector_vector(expr, std::make_unique<OwnedRows>(std::move(lhs)),
                           std::make_unique<OwnedRows>(std::move(rhs)), evaluation.context()));
  return testing::all_rows(*rows);
}

std::string run(const Asked& asked, const std::vector<OwnedRow>& lhs,
                const std::vector<OwnedRow>& rhs) {
  Evaluation evaluation((lhs.empty() ? rhs : lhs).front().values.size());
  const auto out = rows_of(asked, lhs, rhs, evaluation);
  return out ? shown(*out) : out.error().message;
}

VectorMatching on(std::vector<std::string> labels, Cardinality card = Cardinality::kOneToOne,
                  std::vector<std::string> include = {}) {
  return {card, std::move(labels), true, std::move(include), {}, {}};
}
VectorMatching ignoring(std::vector<std::string> labels, Cardinality card = Cardinality::kOneToOne,
                        std::vector<std::string> include = {}) {
  return {card, std::move(labels), false, std::move(include), {}, {}};
}
VectorMatching filled(VectorMatching matching, std::optional<double> lhs,
                      std::optional<double> rhs) {
  matching.fill_lhs = lhs;
  matching.fill_rhs = rhs;
  return matching;
}

TEST(VectorMatch, OneToOne) {
  const std::vector<OwnedRow> lhs{
      row({{"__name__", "m"}, {"__type__", "gauge"}, {"a", "1"}, {"b", "x"}}, {1, 2, kNone}),
      row({{"__name__", "m"}, {"a", "2"}, {"b", "x"}}, {10, 20, 30})};
  const std::vector<OwnedRow> rhs{
      row({{"__name__", "n"}, {"a", "1"}, {"b", "x"}}, {100, kNone, 300}),
      row({{"__name__", "n"}, {"a", "2"}, {"b", "y"}}, {1000, 2000, 3000})};
  EXPECT_EQ(run({BinaryOp::kAdd, on({"a"})}, lhs, rhs),
            "{a=\"1\"} 101 _ _\n{a=\"2\"} 1010 2020 3030\n");
  EXPECT_EQ(run({BinaryOp::kAdd, ignoring({"__type__", "b"})}, lhs, rhs),
            "{a=\"1\"} 101 _ _\n{a=\"2\"} 1010 2020 3030\n");
  EXPECT_EQ(run({BinaryOp::kSub, ignoring({"__type__"})}, lhs, rhs),
            "{a=\"1\", b=\"x\"} -99 _ _\n");
  EXPECT_EQ(run({BinaryOp::kAdd, on({})}, {lhs[1]}, {rhs[1]}), "{} 1010 2020 3030\n");
}

TEST(VectorMatch, ComparisonsFilterAndKeepTheName) {
  const std::vector<OwnedRow> lhs{row({{"__name__", "m"}, {"a", "1"}}, {1, 5, kNone})};
  const std::vector<OwnedRow> rhs{row({{"__name__", "n"}, {"a", "1"}}, {2, 2, 2})};
  EXPECT_EQ(run({BinaryOp::kGreater}, lhs, rhs), "m{a=\"1\"} _ 5 _\n");
  EXPECT_EQ(run({BinaryOp::kGreater, {}, true}, lhs, rhs), "m{a=\"1\"}(drop) 0 1 _\n");
  EXPECT_EQ(run({BinaryOp::kGreater, on({"a"})}, lhs, rhs), "{a=\"1\"} _ 5 _\n");
  EXPECT_EQ(run({BinaryOp::kEqual}, lhs, rhs), "");
  EXPECT_EQ(run({BinaryOp::kLess, on({"a"}, Cardinality::kOneToMany)}, lhs, rhs),
            "n{a=\"1\"} 1 _ _\n");
}

TEST(VectorMatch, ANameThatIsToGoStaysSoThroughAFilter) {
  std::vector<OwnedRow> lhs{row({{"__name__", "m"}, {"a", "1"}}, {1, 5})};
  std::vector<OwnedRow> rhs{row({{"__name__", "n"}, {"a", "1"}}, {2, 2})};
  lhs[0].drop_name = true;
  EXPECT_EQ(run({BinaryOp::kGreater}, lhs, rhs), "m{a=\"1\"}(drop) _ 5\n");
  EXPECT_EQ(run({BinaryOp::kLess}, rhs, lhs), "n{a=\"1\"} _ 2\n");
  EXPECT_EQ(run({BinaryOp::kGreater, on({"a"}, Cardinality::kOneToMany)}, lhs, rhs),
            "n{a=\"1\"} _ 5\n");
  EXPECT_EQ(run({BinaryOp::kLess, on({"a"}, Cardinality::kManyToOne, {"__name__"})}, rhs, lhs),
            "m{a=\"1\"}(drop) _ 2\n");
  EXPECT_EQ(run({BinaryOp::kMul, on({"a"}, Cardinality::kManyToOne, {"__name__"})}, rhs, lhs),
            "m{a=\"1\"}(drop) 2 10\n");
}

TEST(VectorMatch, GroupLeftTakesLabelsOfTheOneSide) {
  const std::vector<OwnedRow> many{
      row({{"__name__", "m"}, {"a", "1"}, {"i", "1"}, {"z", "old"}}, {1, 2}),
      row({{"__name__", "m"}, {"a", "1"}, {"i", "2"}}, {3, 4}),
      row({{"__name__", "m"}, {"a", "3"}, {"i", "2"}}, {3, 4})};
  const std::vector<OwnedRow> one{
      row({{"__name__", "info"}, {"a", "1"}, {"b", "new"}, {"c", "?"}}, {10, 20})};
  EXPECT_EQ(run({BinaryOp::kMul, on({"a"}, Cardinality::kManyToOne, {"z", "b"})}, many, one),
            "{a=\"1\", b=\"new\", i=\"1\"} 10 40\n{a=\"1\", b=\"new\", i=\"2\"} 30 80\n");
  EXPECT_EQ(run({BinaryOp::kSub, on({"a"}, Cardinality::kOneToMany, {"b"})}, one, many),
            "{a=\"1\", b=\"new\", i=\"1\", z=\"old\"} 9 18\n"
            "{a=\"1\", b=\"new\", i=\"2\"} 7 16\n");
  EXPECT_EQ(run({BinaryOp::kMul, on({"a"}, Cardinality::kManyToOne, {"__name__"})}, {many[1]}, one),
            "info{a=\"1\", i=\"2\"} 30 80\n");
}

TEST(VectorMatch, AMatchThatChangesOverTimeIsOneRow) {
  const std::vector<OwnedRow> lhs{row({{"__name__", "m"}, {"a", "1"}}, {1, kNone, 3}),
                                  row({{"__name__", "n"}, {"a", "1"}}, {kNone, 2, kNone})};
  const std::vector<OwnedRow> rhs{row({{"__name__", "p"}, {"a", "1"}}, {kNone, 10, 10}),
                                  row({{"__name__", "q"}, {"a", "1"}}, {20, kNone, kNone})};
  EXPECT_EQ(run({}, lhs, rhs), "{a=\"1\"} 21 12 13\n");
  EXPECT_EQ(run({BinaryOp::kLess}, lhs, rhs), "m{a=\"1\"} 1 _ 3\nn{a=\"1\"} _ 2 _\n");
}

TEST(VectorMatch, DuplicatesOnTheOneSide) {
  const std::vector<OwnedRow> one{row({{"__name__", "b"}, {"a", "1"}}, {1, 1, kNone}),
                                  row({{"__name__", "a"}, {"a", "1"}}, {2, kNone, 2})};
  const std::string told =
      "found duplicate series for the match group {a=\"1\"} on the right hand-side of the "
      "operation: [{__name__=\"a\", a=\"1\"}, {__name__=\"b\", a=\"1\"}];many-to-many matching "
      "not allowed: matching labels must be unique on one side";
  EXPECT_EQ(run({}, {row({{"a", "1"}}, {5, 6, 7})}, one), told);
  EXPECT_EQ(run({BinaryOp::kAdd, on({"a"}, Cardinality::kManyToOne)},
                {row({{"a", "9"}}, {5, kNone, kNone})}, one),
            told)
      << "whatever the labels of the other side";
  EXPECT_NE(
      run({BinaryOp::kAdd, on({"a"}, Cardinality::kOneToMany)}, one, {row({{"a", "1"}}, {5, 6, 7})})
          .find("on the left hand-side"),
      std::string::npos);
  // Where the other side has nothing at that step, nobody looks.
  EXPECT_EQ(run({}, {row({{"a", "1"}}, {kNone, 6, 7})}, one), "{a=\"1\"} _ 7 9\n");
  // But filling looks everywhere.
  EXPECT_EQ(run({BinaryOp::kAdd, filled({}, {}, 0)}, {row({{"a", "1"}}, {kNone, 6, 7})}, one),
            told);
}

TEST(VectorMatch, ManyMatches) {
  const std::vector<OwnedRow> many{row({{"a", "1"}, {"i", "1"}}, {1, kNone}),
                                   row({{"a", "1"}, {"i", "2"}}, {1, 2})};
  const std::vector<OwnedRow> one{row({{"a", "1"}}, {1, 1})};
  EXPECT_EQ(run({BinaryOp::kAdd, on({"a"})}, many, one),
            "multiple matches for labels: many-to-one matching must be explicit "
            "(group_left/group_right)");
  EXPECT_EQ(run({BinaryOp::kGreater, on({"a"})}, many, one).substr(0, 16), "multiple matches")
      << "even where a comparison keeps neither";
  EXPECT_EQ(run({BinaryOp::kAdd, on({"a"})}, many, {row({{"a", "1"}}, {kNone, 1})}),
            "{a=\"1\"} _ 3\n");
}

TEST(VectorMatch, GroupingLabelsMustTellRowsApart) {
  const std::vector<OwnedRow> many{row({{"__name__", "m"}, {"a", "1"}}, {1, 1}),
                                   row({{"__name__", "n"}, {"a", "1"}}, {kNone, 2})};
  const std::vector<OwnedRow> one{row({{"a", "1"}}, {5, 5})};
  const std::string told =
      "multiple matches for labels: grouping labels must ensure unique matches";
  const auto left = on({"a"}, Cardinality::kManyToOne);
  EXPECT_EQ(run({BinaryOp::kAdd, left}, many, one), told);
  EXPECT_EQ(run({BinaryOp::kGreater, left}, many, one), "");
  const std::vector<OwnedRow> same{row({{"a", "1"}, {"i", "1"}}, {1, 9}),
                                   row({{"a", "1"}, {"i", "2"}}, {1, 2})};
  const auto include = on({"a"}, Cardinality::kManyToOne, {"i"});
  EXPECT_EQ(run({BinaryOp::kGreater, include}, same, one), told) << "before it filters";
}

TEST(VectorMatch, SameLabelsFromTwoMatchesAreAnErrorOverSeveralSteps) {
  const std::vector<OwnedRow> lhs{row({{"__name__", "m"}, {"a", "1"}}, {1, 1}),
                                  row({{"__name__", "n"}, {"a", "1"}}, {2, 2})};
  EXPECT_EQ(run({BinaryOp::kAdd, on({"__name__", "a"})}, lhs, lhs),
            "vector cannot contain metrics with the same labelset");
  const std::vector<OwnedRow> apart{row({{"__name__", "m"}, {"a", "1"}}, {1, kNone}),
                                    row({{"__name__", "n"}, {"a", "1"}}, {kNone, 2})};
  EXPECT_EQ(run({BinaryOp::kAdd, on({"__name__", "a"})}, apart, apart), "{a=\"1\"} 2 4\n");
}

TEST(VectorMatch, TheErrorOfTheEarliestStepIsTold) {
  const std::vector<OwnedRow> many{row({{"a", "1"}, {"i", "1"}}, {1, kNone}),
                                   row({{"a", "1"}, {"i", "2"}}, {1, 2})};
  const std::vector<OwnedRow> one{row({{"a", "1"}, {"k", "1"}}, {1, 1}),
                                  row({{"a", "1"}, {"k", "2"}}, {kNone, 1})};
  EXPECT_EQ(run({BinaryOp::kAdd, on({"a"})}, many, one).substr(0, 16), "multiple matches");
  const std::vector<OwnedRow> both{one[0], row({{"a", "1"}, {"k", "2"}}, {1, 1})};
  EXPECT_EQ(run({BinaryOp::kAdd, on({"a"})}, many, both).substr(0, 15), "found duplicate");
}

TEST(VectorMatch, Fills) {
  const std::vector<OwnedRow> lhs{row({{"__name__", "m"}, {"a", "1"}}, {1, kNone, 3}),
                                  row({{"__name__", "m"}, {"a", "2"}}, {10, 20, 30})};
  const std::vector<OwnedRow> rhs{row({{"__name__", "n"}, {"a", "1"}}, {100, 200, kNone}),
                                  row({{"__name__", "n"}, {"a", "3"}}, {kNone, 5, kNone})};
  EXPECT_EQ(run({BinaryOp::kAdd, filled({}, {}, 0.5)}, lhs, rhs),
            "{a=\"1\"} 101 _ 3.5\n{a=\"2\"} 10.5 20.5 30.5\n");
  EXPECT_EQ(run({BinaryOp::kAdd, filled({}, 0.5, {})}, lhs, rhs),
            "{a=\"1\"} 101 200.5 _\n{a=\"3\"} _ 5.5 _\n");
  EXPECT_EQ(run({BinaryOp::kSub, filled({}, 0, 0)}, lhs, rhs),
            "{a=\"1\"} -99 -200 3\n{a=\"2\"} 10 20 30\n{a=\"3\"} _ -5 _\n");
  EXPECT_EQ(run({BinaryOp::kLess, filled({}, 7, {})}, lhs, rhs),
            "m{a=\"1\"} 1 _ _\n{a=\"1\"} _ 7 _\n");
}

TEST(VectorMatch, FillsOfGroups) {
  const std::vector<OwnedRow> many{row({{"__name__", "m"}, {"a", "1"}, {"i", "1"}}, {1, 2}),
                                   row({{"__name__", "m"}, {"a", "2"}, {"i", "2"}}, {3, 4})};
  const std::vector<OwnedRow> one{row({{"a", "1"}, {"b", "x"}}, {10, kNone}),
                                  row({{"a", "7"}, {"b", "y"}}, {5, 5})};
  EXPECT_EQ(run({BinaryOp::kAdd, filled(on({"a"}, Cardinality::kManyToOne, {"b"}), 100, 1000)},
                many, one),
            "{a=\"1\", b=\"x\", i=\"1\"} 11 _\n{a=\"1\", i=\"1\"} _ 1002\n"
            "{a=\"2\", i=\"2\"} 1003 1004\n{a=\"7\", b=\"y\"} 105 105\n");
}

TEST(VectorMatch, SetOperators) {
  const auto many = Cardinality::kManyToMany;
  const std::vector<OwnedRow> lhs{row({{"__name__", "m"}, {"a", "1"}, {"i", "1"}}, {1, kNone, 3}),
                                  row({{"__name__", "m"}, {"a", "1"}, {"i", "2"}}, {4, 5, 6}),
                                  row({{"__name__", "m"}, {"a", "2"}}, {7, 8, 9})};
  const std::vector<OwnedRow> rhs{row({{"__name__", "n"}, {"a", "1"}}, {kNone, 0, 0}),
                                  row({{"__name__", "n"}, {"a", "3"}}, {1, 1, 1})};
  EXPECT_EQ(run({BinaryOp::kAnd, on({"a"}, many)}, lhs, rhs),
            "m{a=\"1\", i=\"1\"} _ _ 3\nm{a=\"1\", i=\"2\"} _ 5 6\n");
  EXPECT_EQ(run({BinaryOp::kUnless, on({"a"}, many)}, lhs, rhs),
            "m{a=\"1\", i=\"1\"} 1 _ _\nm{a=\"1\", i=\"2\"} 4 _ _\nm{a=\"2\"} 7 8 9\n");
  EXPECT_EQ(run({BinaryOp::kOr, on({"a"}, many)}, lhs, rhs),
            "n{a=\"3\"} 1 1 1\nm{a=\"1\", i=\"1\"} 1 _ 3\nm{a=\"1\", i=\"2\"} 4 5 6\n"
            "m{a=\"2\"} 7 8 9\n");
  EXPECT_EQ(run({BinaryOp::kAnd, ignoring({"i"}, many)}, {lhs[0]}, {rhs[0]}),
            "m{a=\"1\", i=\"1\"} _ _ 3\n");
}

TEST(VectorMatch, OrMergesRowsOfTheSameLabels) {
  auto lhs = row({{"__name__", "m"}, {"a", "1"}}, {kNone, 2, kNone});
  auto rhs = row({{"__name__", "m"}, {"a", "1"}}, {10, 20, 30});
  const auto many = Cardinality::kManyToMany;
  EXPECT_EQ(run({BinaryOp::kOr, ignoring({}, many)}, {lhs}, {rhs}), "m{a=\"1\"} 10 2 30\n");
  rhs.drop_name = true;
  EXPECT_EQ(run({BinaryOp::kOr, ignoring({}, many)}, {lhs}, {rhs}), "m{a=\"1\"}(drop) 10 2 30\n");
  lhs.values[0] = 1;
  EXPECT_EQ(run({BinaryOp::kOr, ignoring({}, many)}, {lhs}, {rhs}), "m{a=\"1\"} 1 2 30\n");
}

TEST(VectorMatch, OrOfAnInstantKeepsTheOrder) {
  EXPECT_EQ(run({BinaryOp::kOr, ignoring({}, Cardinality::kManyToMany)}, {row({{"a", "2"}}, {1})},
                {row({{"a", "1"}}, {3}), row({{"a", "2"}}, {4})}),
            "{a=\"2\"} 1\n{a=\"1\"} 3\n");
}

TEST(VectorMatch, AJoinThatBlowsUpEndsAtALimit) {
  std::vector<OwnedRow> many;
  for (int i = 0; i < 2000; ++i) {
    many.push_back(row({{"a", "1"}, {"i", std::to_string(i)}}, std::vector<double>(100, 1)));
  }
  QueryLimits limits;
  limits.max_bytes = 200'000;
  Evaluation evaluation(100, limits);
  const auto out = rows_of({BinaryOp::kAdd, on({"a"}, Cardinality::kManyToOne)}, many,
                           {row({{"a", "1"}}, std::vector<double>(100, 1))}, evaluation);
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(evaluation.meter().charge_bytes(199'000));
}

// ---- against a twin that goes step by step and sample by sample
// ----------------------------------

struct Sample {
  model::Labels labels;
  double value = 0;
  bool drop_name = false;
};
using Vector = std::vector<Sample>;
using Columns = std::map<std::string, std::vector<std::string>>;

model::Labels match_group(const VectorMatching& matching, const model::Labels& labels) {
  model::LabelsBuilder builder(labels.view());
  for (const model::Label& label : labels) {
    const bool named = std::ranges::find(matching.labels, label.name) != matching.labels.end();
    if (matching.on ? !named : named || label.name == "__name__") builder.remove(label.name);
  }
  return builder.build();
}

class Twin {
 public:
  explicit Twin(const Asked& asked) : asked_(asked), matching_(asked.matching) {}

  // The error's first words, or what was computed at that step.
  Result<Vector> step(const Vector& lhs, const Vector& rhs) {
    out_.clear();
    if (is_set_operator(asked_.op)) return set_step(lhs, rhs);
    const bool fills = matching_.fill_lhs || matching_.fill_rhs;
    if ((lhs.empty() || rhs.empty()) && !fills) return out_;
    const bool swapped = matching_.card == Cardinality::kOneToMany;
    const Vector& many = swapped ? rhs : lhs;
    const Vector& one = swapped ? lhs : rhs;
    std::map<std::string, const Sample*> ones;
    for (const Sample& sample : one) {
      if (!ones.emplace(group(sample).packed(), &sample).second)
        return fail(Code::kOutOfRange, "found duplicate");
    }
    std::set<std::string> matched;
    std::set<std::string> inserted;
    for (const Sample& sample : many) {
      const auto met = ones.find(group(sample).packed());
      if (met == ones.end() && !matching_.fill_rhs) continue;
      const Sample filled{group(sample), matching_.fill_rhs.value_or(0), false};
      TRY(one_match(sample, met == ones.end() ? filled : *met->second, matched, inserted));
    }
    for (const Sample& sample : one) {
      if (!matching_.fill_lhs || matched.contains(group(sample).packed())) continue;
      TRY(one_match({group(sample), *matching_.fill_lhs, false}, sample, matched, inserted));
    }
    return out_;
  }

 private:
  model::Labels group(const Sample& sample) const { return match_group(matching_, sample.labels); }

  Status one_match(const Sample& many, const Sample& one, std::set<std::string>& matched,
                   std::set<std::string>& inserted) {
    const std::string signature = group(many).packed();
    model::LabelsBuilder builder(many.labels.view());
    if (!is_comparison(asked_.op)) builder.remove("__name__");
    if (matching_.card == Cardinality::kOneToOne) {
      for (const model::Label& label : many.labels) {
        const bool named =
            std::ranges::find(matching_.labels, label.name) != matching_.labels.end();
        if (named != matching_.on) builder.remove(label.name);
      }
      if (!matched.insert(signature).second) return fail(Code::kOutOfRange, "multiple matches");
    }
    for (const auto& name : matching_.include) builder.set(name, one.labels.get(name));
    const model::Labels labels = builder.build();
    if (!inserted.insert(signature + "|" + labels.packed()).second)
      return fail(Code::kOutOfRange, "multiple matches");
    matched.insert(signature);
    const bool swapped = matching_.card == Cardinality::kOneToMany;
    const double lhs = swapped ? one.value : many.value;
    const double rhs = swapped ? many.value : one.value;
    double value = scalar_binary(asked_.op, lhs, rhs);
    if (is_comparison(asked_.op) && !asked_.return_bool) {
      if (value == 0) return {};
      value = lhs;
    }
    out_.push_back({labels, value, asked_.return_bool});
    return {};
  }

  Result<Vector> set_step(const Vector& lhs, const Vector& rhs) {
    std::set<std::string> left;
    std::set<std::string> right;
    for (const Sample& sample : lhs) left.insert(group(sample).packed());
    for (const Sample& sample : rhs) right.insert(group(sample).packed());
    for (const Sample& sample : lhs) {
      const bool met = right.contains(group(sample).packed());
      if (asked_.op == BinaryOp::kOr || met == (asked_.op == BinaryOp::kAnd))
        out_.push_back(sample);
    }
    for (const Sample& sample : rhs) {
      if (asked_.op == BinaryOp::kOr && !left.contains(group(sample).packed()))
        out_.push_back(sample);
    }
    return out_;
  }

  const Asked& asked_;
  const VectorMatching& matching_;
  Vector out_;
};

std::string number(double value) {
  std::string out;
  append_float_text(out, value);
  return out;
}

Result<Columns> naive(const Asked& asked, const std::vector<OwnedRow>& lhs,
                      const std::vector<OwnedRow>& rhs, size_t steps) {
  Columns out;
  Twin twin(asked);
  for (size_t i = 0; i < steps; ++i) {
    const auto at = [&](const std::vector<OwnedRow>& rows) {
      Vector vector;
      for (const OwnedRow& given : rows) {
        if (!is_absent(given.values[i])) vector.push_back({given.labels, given.values[i], false});
      }
      return vector;
    };
    TRY_ASSIGN(const Vector vector, twin.step(at(lhs), at(rhs)));
    for (const Sample& sample : vector) {
      auto& column = out[sample.labels.to_string()];
      column.resize(steps);
      if (!column[i].empty()) return fail(Code::kOutOfRange, "vector cannot c");
      column[i] = number(sample.value) + (sample.drop_name ? "!" : "");
    }
  }
  return out;
}

Columns columns_of(const std::vector<OwnedRow>& rows) {
  Columns out;
  for (const OwnedRow& given : rows) {
    auto& column = out[given.labels.to_string()];
    EXPECT_TRUE(column.empty()) << "twice: " << given.labels.to_string();
    for (const double value : given.values)
      column.push_back(is_absent(value) ? "" : number(value) + (given.drop_name ? "!" : ""));
  }
  return out;
}

Asked random_question(Random& random) {
  Asked asked;
  asked.op = static_cast<BinaryOp>(random.below(static_cast<uint64_t>(BinaryOp::kUnless) + 1));
  asked.return_bool = is_comparison(asked.op) && random.below(3) == 0;
  VectorMatching& matching = asked.matching;
  matching.on = random.below(2) == 0;
  for (const char* name : {"g", "h", "id", "__name__"}) {
    if (random.below(2) == 0) matching.labels.emplace_back(name);
  }
  if (is_set_operator(asked.op)) {
    matching.card = Cardinality::kManyToMany;
    return asked;
  }
  matching.card = static_cast<Cardinality>(random.below(3));
  if (matching.card != Cardinality::kOneToOne && random.below(2) == 0)
    matching.include = {"h", "k"};
  if (random.below(3) == 0) matching.fill_lhs = 7;
  if (random.below(3) == 0) matching.fill_rhs = -7;
  return asked;
}

TEST(VectorMatch, AgreesWithAPlainTwin) {
  SeededRandom random(3);
  std::map<std::string, int> outcomes;
  for (int round = 0; round < 20'000; ++round) {
    const size_t steps = 2 + random.below(5);
    const Asked asked = random_question(random);
    const auto lhs = testing::random_rows(random, random.below(5), steps);
    const auto rhs = testing::random_rows(random, random.below(5), steps);
    Evaluation evaluation(steps);
    const auto got = rows_of(asked, lhs, rhs, evaluation);
    const auto wanted = naive(asked, lhs, rhs, steps);
    ASSERT_EQ(got.has_value(), wanted.has_value())
        << (got ? "" : got.error().message) << (wanted ? "" : wanted.error().message);
    if (!got) {
      EXPECT_TRUE(got.error().message.starts_with(wanted.error().message))
          << got.error().message << " / " << wanted.error().message;
      ++outcomes[wanted.error().message];
      continue;
    }
    ASSERT_EQ(columns_of(*got), *wanted) << shown(lhs) << shown(rhs);
    ++outcomes[wanted->empty() ? "nothing" : "rows"];
  }
  EXPECT_GT(outcomes["rows"], 2000);
  EXPECT_GT(outcomes["found duplicate"], 100);
  EXPECT_GT(outcomes["multiple matches"], 100);
  EXPECT_GT(outcomes["vector cannot c"], 5);
}

}  // namespace
}  // namespace binnacle::query::promql
