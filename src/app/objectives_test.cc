#include "app/objectives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_keys.h"
#include "base/config.h"
#include "base/fault_file_system.h"

namespace binnacle::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConfiguredObjectivesTest : public testing::Test {
 protected:
  tl::expected<Config, ConfigProblems> parse(std::string_view yaml) {
    return Config::parse(config_schema(), yaml, "b.yaml", sources_);
  }
  FaultFileSystem files_;
  ConfigSources sources_{[](const std::string&) { return std::nullopt; }, files_};
};

TEST_F(ConfiguredObjectivesTest, AreThoseOfTheSection) {
  const auto config = parse(R"(slo:
  - {name: first, model: m, kind: ttft, threshold: 0.5, target: 0.95, window: 7d}
  - {name: there, model: m}
)");
  ASSERT_TRUE(config);
  const auto objectives = configured_objectives(*config);
  ASSERT_EQ(objectives.size(), 2u);
  EXPECT_EQ(objectives[0].name, "first");
  EXPECT_EQ(objectives[0].kind, watch::rules::ObjectiveKind::kTimeToFirstToken);
  EXPECT_EQ(objectives[0].threshold, 0.5);
  EXPECT_EQ(objectives[0].target, 0.95);
  EXPECT_EQ(objectives[0].window_ms, 7 * watch::rules::kDayMs);
  EXPECT_EQ(objectives[1].kind, watch::rules::ObjectiveKind::kAvailability);
  EXPECT_EQ(objectives[1].target, 0.99);
}

TEST_F(ConfiguredObjectivesTest, WhatCannotBeIsRefusedWithTheConfiguration) {
  const auto config = parse("slo: [{name: first, model: m, kind: ttft}]");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().lines(), ElementsAre(HasSubstr("ttft needs a threshold")));
}

}  // namespace
}  // namespace binnacle::app
