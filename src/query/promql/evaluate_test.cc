#include "query/promql/evaluate.h"

#include <gtest/gtest.h>

#include "model/sample.h"
#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

using model::Labels;

struct Given {
  Labels labels;
  std::vector<int64_t> timestamps;
  std::vector<double> values;
};

// A store of fixed series, in label order; it answers every matcher by scanning.
class FixedStore final : public model::Queryable, public model::Querier {
 public:
  explicit FixedStore(std::vector<Given> series) : series_(std::move(series)) {}

  Result<std::unique_ptr<model::Querier>> querier(int64_t, int64_t) override {
    return std::make_unique<FixedStore>(series_);
  }
  Result<std::unique_ptr<model::SeriesSet>> select(const model::Matchers& matchers,
                                                   const model::SelectHints&) override {
    return std::make_unique<Set>(series_, matchers);
  }
  Result<std::vector<std::string>> label_names(const model::Matchers&, size_t) override {
    return fail(Code::kUnimplemented, "label names of a fixed store");
  }
  Result<std::vector<std::string>> label_values(std::string_view, const model::Matchers&,
                                                size_t) override {
    return fail(Code::kUnimplemented, "label values of a fixed store");
  }

 private:
  class Set final : public model::SeriesSet {
   public:
    Set(const std::vector<Given>& series, model::Matchers matchers)
        : series_(series), matchers_(std::move(matchers)) {}
    bool next(model::SeriesColumns& out) override {
      while (at_ < series_.size()) {
        const Given& given = series_[at_++];
        if (!model::matches_all(matchers_, given.labels)) continue;
        out = {given.labels.view(), given.timestamps, given.values, 0};
        return true;
      }
      return false;
    }
    Status status() const override { return {}; }

   private:
    const std::vector<Given> series_;
    const model::Matchers matchers_;
    size_t at_ = 0;
  };

  const std::vector<Given> series_;
};

std::string run(FixedStore& store, Steps steps, QueryLimits limits = {}) {
  const auto answer = evaluate(store, *parse_selector("m"), steps, limits);
  if (!answer) return answer.error().message;
  std::string out;
  for (const auto& series : *answer) {
    out += series.labels.to_string() + ":";
    for (const double value : series.values)
      out += is_absent(value) ? " _" : " " + std::to_string(static_cast<int>(value));
    out += "\n";
  }
  return out;
}

TEST(Evaluate, TakesTheNewestSampleAtEachStep) {
  FixedStore store({{Labels{{"__name__", "m"}}, {0, 10'000, 20'000}, {1, 2, 3}}});
  EXPECT_EQ(run(store, {0, 30'000, 5'000}), "m: 1 1 2 2 3 3 3\n");
  EXPECT_EQ(run(store, {9'999, 9'999, 0}), "m: 1\n");
  EXPECT_EQ(run(store, {-1, -1, 0}), "");
}

TEST(Evaluate, LookbackIsOpenOnTheLeft) {
  FixedStore store({{Labels{{"__name__", "m"}}, {0}, {1}}});
  EXPECT_EQ(run(store, {299'999, 299'999, 0}), "m: 1\n");
  EXPECT_EQ(run(store, {300'000, 300'000, 0}), "");
}

TEST(Evaluate, AStaleMarkerEndsASeriesUntilItComesBack) {
  FixedStore store({{Labels{{"__name__", "m"}}, {0, 10'000, 30'000}, {1, model::stale_nan(), 4}}});
  EXPECT_EQ(run(store, {0, 40'000, 10'000}), "m: 1 _ _ 4 4\n");
}

TEST(Evaluate, LimitsAreNamedWithTheirSetting) {
  FixedStore store({{Labels{{"__name__", "m"}, {"a", "1"}}, {0}, {1}},
                    {Labels{{"__name__", "m"}, {"a", "2"}}, {0}, {1}}});
  QueryLimits limits;
  limits.max_points = 10;
  EXPECT_NE(run(store, {0, 10, 1}, limits).find("query.max_points"), std::string::npos);
  limits.max_series = 1;
  EXPECT_NE(run(store, {0, 9, 1}, limits).find("query.max_series"), std::string::npos);
  limits.max_series = 2;
  limits.max_samples = 19;
  EXPECT_NE(run(store, {0, 9, 1}, limits).find("query.max_samples"), std::string::npos);
  limits.max_samples = 20;
  EXPECT_EQ(run(store, {0, 1, 1}, limits), "m{a=\"1\"}: 1 1\nm{a=\"2\"}: 1 1\n");
}

TEST(Evaluate, ImpossibleStepsAreRefused) {
  FixedStore store({});
  EXPECT_NE(run(store, {0, 10, 0}).find("step"), std::string::npos);
  EXPECT_NE(run(store, {0, 10, -1}).find("step"), std::string::npos);
  EXPECT_NE(run(store, {10, 0, 1}).find("end timestamp"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::query::promql
