#include "query/promql/sort_functions.h"

#include <gtest/gtest.h>

#include <limits>

#include "query/promql/function_fixture.h"

namespace binnacle::query::promql {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string by_value(const std::string& name) {
  return FunctionCall(name, 1)
      .vector({{{{"i", "a"}}, {2}, true},
               {{{"i", "b"}}, {kNaN}},
               {{{"i", "c"}}, {-3}},
               {{{"i", "d"}}, {kNone}},
               {{{"i", "e"}}, {5}}})
      .rows();
}

TEST(Sort, ByValueWithNaNLast) {
  EXPECT_EQ(by_value("sort"), "{i=\"c\"} -3\n{i=\"a\"} drop 2\n{i=\"e\"} 5\n{i=\"b\"} NaN\n");
  EXPECT_EQ(by_value("sort_desc"), "{i=\"e\"} 5\n{i=\"a\"} drop 2\n{i=\"c\"} -3\n{i=\"b\"} NaN\n");
}

TEST(Sort, ARangeQueryIsWarned) {
  FunctionCall call("sort", 2);
  EXPECT_EQ(call.vector({{{{"i", "a"}}, {2, 1}}, {{{"i", "b"}}, {1, 2}}}).rows(),
            "{i=\"a\"} 2 1\n{i=\"b\"} 1 2\n");
  EXPECT_EQ(call.warnings(),
            "PromQL warning: sort is ineffective for range queries since results are always "
            "ordered by labels (1:1)\n");
}

TEST(Sort, ByLabelsInNaturalOrder) {
  const auto sorted = [](const std::string& name, std::vector<std::string> labels) {
    FunctionCall call(name, 1);
    call.vector({{{{"i", "10"}, {"g", "x"}}, {1}},
                 {{{"i", "2"}, {"g", "y"}}, {2}},
                 {{{"i", "2"}, {"g", "x"}}, {3}},
                 {{{"g", "x"}}, {4}}});
    for (std::string& label : labels) call.text(std::move(label));
    std::string rows = call.rows();
    std::string order;
    for (size_t i = 1; i < rows.size(); ++i) {
      if (rows[i] == '\n') order += rows[i - 1];
    }
    return order;
  };
  EXPECT_EQ(sorted("sort_by_label", {"i"}), "4321");
  EXPECT_EQ(sorted("sort_by_label", {"g", "i"}), "4312");
  EXPECT_EQ(sorted("sort_by_label", {}), "4132");  // the whole sets, as bytes
  EXPECT_EQ(sorted("sort_by_label_desc", {"i"}), "1234");
  EXPECT_EQ(sorted("sort_by_label_desc", {"g", "i"}), "2134");
}

TEST(Sort, NaturalOrder) {
  const std::vector<std::string> order = {
      "",  "4.8", "4.9",  "4.14.2", "4.80", "10", "20000000000000000000000",
      "a", "a1",  "a01x", "a2",     "a10",  "ab", "b"};
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j < order.size(); ++j) {
      const int expected = i < j ? -1 : i > j ? 1 : 0;
      const int got = compare_naturally(order[i], order[j]);
      EXPECT_EQ(got < 0 ? -1 : got > 0 ? 1 : 0, expected) << order[i] << " " << order[j];
    }
  }
}

}  // namespace
}  // namespace binnacle::query::promql
