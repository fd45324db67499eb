#include "watch/rules/default_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file_system.h"

namespace binnacle::watch::rules {
namespace {

const std::string kFolder = BINNACLE_SOURCE_DIR "/packaging/rules/";

TEST(DefaultRulesTest, AreTheFilesOfTheRepository) {
  const auto entries = real_file_system().list(kFolder);
  ASSERT_TRUE(entries);
  const auto files = std::ranges::count_if(
      *entries, [](const DirEntry& entry) { return entry.name.ends_with(".yml"); });
  EXPECT_EQ(default_rule_files().size(), static_cast<size_t>(files));
  for (const DefaultRuleFile& file : default_rule_files())
    EXPECT_EQ(file.yaml, *real_file_system().read_file(kFolder + std::string(file.name)));
}

TEST(DefaultRulesTest, AreRead) {
  const auto groups = default_rules();
  ASSERT_TRUE(groups) << groups.error().message;
  size_t rules = 0;
  for (const RuleGroup& group : *groups) {
    EXPECT_THAT(group.file, testing::StartsWith("default/"));
    rules += group.rules.size();
  }
  EXPECT_GT(rules, 50);
  EXPECT_THAT(duplicate_rules(*groups), testing::IsEmpty());
}

}  // namespace
}  // namespace binnacle::watch::rules
