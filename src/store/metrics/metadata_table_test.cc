#include "store/metrics/metadata_table.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace binnacle::store::metrics {
namespace {

using model::MetricType;

TEST(MetadataTable, TheLatestWordHoldsAndARepeatedOneIsNoNews) {
  MetadataTable table;
  EXPECT_TRUE(table.set("up", {MetricType::kGauge, "Is it up?", ""}));
  EXPECT_FALSE(table.set("up", {MetricType::kGauge, "Is it up?", ""}));
  EXPECT_TRUE(table.set("up", {MetricType::kGauge, "Is it?", ""}));
  ASSERT_EQ(table.all().size(), 1u);
  EXPECT_EQ(table.all()[0].second.help, "Is it?");
}

TEST(MetadataTable, EveryPartOfAWordCounts) {
  MetadataTable table;
  ASSERT_TRUE(table.set("x", {MetricType::kGauge, "", ""}));
  EXPECT_TRUE(table.set("x", {MetricType::kCounter, "", ""}));
  EXPECT_TRUE(table.set("x", {MetricType::kCounter, "", "bytes"}));
}

TEST(MetadataTable, ListsByName) {
  MetadataTable table;
  for (const char* name : {"c", "a", "b"}) table.set(name, {});
  const auto all = table.all();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].first, "a");
  EXPECT_EQ(all[2].first, "c");
}

TEST(MetadataTable, AMetricWithoutNameIsLeftOut) {
  MetadataTable table;
  EXPECT_FALSE(table.set("", {MetricType::kGauge, "x", ""}));
  EXPECT_TRUE(table.all().empty());
}

TEST(MetadataTable, ALongHelpIsCutBetweenCharacters) {
  MetadataTable table;
  std::string help(MetadataTable::kMaxHelpBytes - 1, 'x');
  help += "\xc3\xa9tude";  // its first character lies across the bound
  ASSERT_TRUE(table.set("x", {MetricType::kGauge, help, ""}));
  const std::string kept = table.all()[0].second.help;
  EXPECT_EQ(kept.size(), MetadataTable::kMaxHelpBytes - 1);
  EXPECT_TRUE(is_valid_utf8(kept));
  EXPECT_FALSE(table.set("x", {MetricType::kGauge, help, ""})) << "cut alike, it is no news";
}

TEST(MetadataTable, AUnitIsBoundedToo) {
  MetadataTable table;
  table.set("x", {MetricType::kGauge, "", std::string(1'000'000, 'u')});
  EXPECT_LE(table.all()[0].second.unit.size(), MetadataTable::kMaxUnitBytes);
}

TEST(MetadataTable, ALongHelpThatIsNoUtf8IsNotLost) {
  MetadataTable table;
  std::string help(MetadataTable::kMaxHelpBytes + 100, 'x');
  help[0] = '\xff';
  ASSERT_TRUE(table.set("x", {MetricType::kGauge, help, ""}));
  EXPECT_EQ(table.all()[0].second.help.size(), MetadataTable::kMaxHelpBytes);
}

TEST(MetadataTable, IsBounded) {
  MetadataTable table;
  for (size_t i = 0; i < MetadataTable::kMaxMetrics; ++i)
    ASSERT_TRUE(table.set(std::to_string(i), {}));
  EXPECT_FALSE(table.set("one more", {}));
  EXPECT_TRUE(table.set("0", {MetricType::kGauge, "", ""})) << "those that are there may change";
  EXPECT_EQ(table.all().size(), MetadataTable::kMaxMetrics);
}

}  // namespace
}  // namespace binnacle::store::metrics
