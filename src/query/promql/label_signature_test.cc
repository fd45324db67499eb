#include "query/promql/label_signature.h"

#include <gtest/gtest.h>

#include "query/promql/literal_text.h"
#include "query/promql/rows_testing.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

std::string signature(std::vector<std::string> names, bool only, const model::Labels& labels) {
  return model::LabelsView(LabelSignature(std::move(names), only).of(labels)).to_string();
}

TEST(LabelSignature, OnlyOrAllBut) {
  const model::Labels labels{{"__name__", "m"}, {"a", "1"}, {"b", "2"}, {"c", "3"}};
  EXPECT_EQ(signature({"c", "a", "x"}, true, labels), R"({a="1", c="3"})");
  EXPECT_EQ(signature({"__name__"}, true, labels), "m");
  EXPECT_EQ(signature({}, true, labels), "{}");
  EXPECT_EQ(signature({"c", "a", "x", "Z"}, false, labels), R"({b="2"})");
  EXPECT_EQ(signature({}, false, labels), R"({a="1", b="2", c="3"})");
  EXPECT_EQ(signature({"a"}, false, {}), "{}");
}

TEST(LabelSignature, LongValues) {
  const std::string value(70'000, 'x');
  const model::Labels labels{{"a", value}, {"b", "2"}};
  EXPECT_EQ(signature({"b"}, true, labels), R"({b="2"})");
  EXPECT_EQ(signature({"b"}, false, labels), "{a=\"" + value + "\"}");
}

TEST(SignatureIndex, NumbersInTheOrderTheyCome) {
  testing::Evaluation evaluation(1);
  HeldMemory memory(evaluation.meter());
  SignatureIndex index(memory);
  EXPECT_EQ(index.find("x"), SignatureIndex::kNone);
  for (uint32_t round = 0; round < 2; ++round) {
    for (uint32_t i = 0; i < 10'000; ++i) {
      const auto place = index.find_or_add(std::to_string(i));
      ASSERT_TRUE(place);
      ASSERT_EQ(place->ordinal, i);
      ASSERT_EQ(place->added, round == 0);
    }
  }
  EXPECT_EQ(index.find("9999"), 9999U);
  EXPECT_EQ(index.find("10000"), SignatureIndex::kNone);
  EXPECT_EQ(index.bytes(77), "77");
}

TEST(HeldMemory, ChargesAndGivesBack) {
  QueryLimits limits;
  limits.max_bytes = 100'000;
  testing::Evaluation evaluation(1, limits);
  {
    HeldMemory memory(evaluation.meter());
    const auto column = memory.column(10'000, 7);
    ASSERT_TRUE(column);
    EXPECT_EQ(column->back(), 7);
    const auto text = memory.text("abc");
    const auto copy = memory.copy(std::vector<double>{1, 2});
    ASSERT_TRUE(text && copy);
    EXPECT_EQ(*text, "abc");
    EXPECT_EQ((*copy)[1], 2);
    EXPECT_FALSE(memory.flags(100'000));
  }
  EXPECT_TRUE(evaluation.meter().charge_bytes(100'000));
}

TEST(QuotedText, AsGoWritesIt) {
  EXPECT_EQ(in_quotes("a\"b\\c\n\t\x01é"), "\"a\\\"b\\\\c\\n\\t\\x01é\"");
  EXPECT_EQ(labels_text(model::Labels{{"__name__", "m"}, {"a b", "1"}}),
            R"({__name__="m", "a b"="1"})");
  EXPECT_EQ(labels_text({}), "{}");
}

}  // namespace
}  // namespace binnacle::query::promql
