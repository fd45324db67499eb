#include "model/labels.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace binnacle::model {
namespace {

TEST(Labels, SortsDropsEmptyAndKeepsTheLaterOfTwo) {
  const Labels labels = {
      {"zone", "eu"}, {"__name__", "up"}, {"job", "a"}, {"empty", ""}, {"job", "b"}};
  EXPECT_EQ(labels.to_string(), R"(up{job="b", zone="eu"})");
  EXPECT_EQ(labels.view().size(), 3u);
  EXPECT_EQ(labels.get("empty"), "");
  EXPECT_EQ(labels.get("job"), "b");
}

TEST(Labels, EqualSetsHaveEqualBytesWhateverTheOrder) {
  const Labels a = {{"a", "1"}, {"b", "2"}};
  const Labels b = {{"b", "2"}, {"a", "1"}};
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.hash(), b.hash());
  EXPECT_NE(a, (Labels{{"a", "12"}, {"b", ""}}));
}

TEST(Labels, LongValuesSurvivePacking) {
  const std::string long_value(100'000, 'x');
  const Labels labels = {{"a", "before"}, {"b", long_value}, {"c", "after"}};
  EXPECT_EQ(labels.get("b"), long_value);
  EXPECT_EQ(labels.get("c"), "after");
}

TEST(Labels, BuilderEditsASet) {
  LabelsBuilder builder((Labels{{"__name__", "up"}, {"job", "a"}}));
  builder.set("job", "b").remove("__name__");
  EXPECT_EQ(builder.build().to_string(), R"({job="b"})");
}

TEST(Labels, ToStringQuotesWhatIsNotALegacyName) {
  EXPECT_EQ((Labels{{"__name__", "http.status"}, {"a b", "x\"\\\n"}}).to_string(),
            R"({"http.status", "a b"="x\"\\\n"})");
  EXPECT_EQ(Labels{}.to_string(), "{}");
  EXPECT_EQ((Labels{{"__name__", "up"}}).to_string(), "up");
}

TEST(Labels, CompareOrdersByNameThenValueThenLength) {
  const Labels a = {{"a", "1"}};
  const Labels ab = {{"a", "1"}, {"b", "1"}};
  const Labels a2 = {{"a", "2"}};
  const Labels b = {{"b", "0"}};
  EXPECT_LT(compare(a, ab), 0);
  EXPECT_LT(compare(ab, a2), 0);
  EXPECT_LT(compare(a2, b), 0);
  EXPECT_GT(compare(b, a), 0);
  EXPECT_EQ(compare(a, Labels{{"a", "1"}}), 0);
}

TEST(Labels, LegacyNames) {
  EXPECT_TRUE(is_legacy_metric_name("vllm:requests_total"));
  EXPECT_FALSE(is_legacy_label_name("vllm:requests_total"));
  EXPECT_TRUE(is_legacy_label_name("_a9"));
  EXPECT_FALSE(is_legacy_label_name("9a"));
  EXPECT_FALSE(is_legacy_label_name(""));
  EXPECT_FALSE(is_legacy_label_name("ä"));
}

}  // namespace
}  // namespace binnacle::model
