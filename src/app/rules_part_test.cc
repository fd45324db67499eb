#include "app/rules_part.h"

#include <gmock/gmock.h>

#include "app/config_keys.h"
#include "base/check.h"
#include "base/fault_file_system.h"

namespace binnacle::app {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kRules = "groups: [{name: g, rules: [{record: x, expr: up}]}]\n";

class RulesPartTest : public testing::Test {
 protected:
  RulesPartTest() { CHECK(files_.create_directories("/r").has_value()); }

  void write(const std::string& path, const std::string& text) {
    CHECK(files_.write_file_atomically(path, text).has_value());
  }
  Result<std::vector<watch::rules::ConfiguredGroup>> groups(const std::string& yaml) {
    auto config = Config::parse(config_schema(), yaml, "test.yaml", process_config_sources());
    EXPECT_TRUE(config);
    return configured_groups(*config, prometheus_, files_, "http://here:1/");
  }
  std::string problem(const std::string& yaml) {
    const auto read = groups(yaml);
    return read ? "" : read.error().message;
  }

  FaultFileSystem files_;
  PrometheusFile prometheus_;
};

TEST_F(RulesPartTest, DefaultRulesRunUnlessTheyAreOff) {
  const auto on = groups("");
  ASSERT_TRUE(on) << on.error().message;
  EXPECT_GT(on->size(), 0u);
  const auto off = groups("rules: {default_rules: false}");
  ASSERT_TRUE(off);
  EXPECT_THAT(*off, SizeIs(0));
}

TEST_F(RulesPartTest, GroupsGoByTheSettingsOfTheirPlace) {
  write("/r/own.yml", kRules);
  write("/r/theirs.yml", kRules);
  prometheus_.rule_files = {"/r/th*.yml", "/r/none.yml"};
  prometheus_.global.evaluation_interval_ms = 7'000;
  prometheus_.global.external_labels = model::Labels{{"a", "theirs"}, {"b", "theirs"}};
  const auto read = groups(
      "rules: {default_rules: false, files: [/r/own.yml], evaluation_interval: 5s}\n"
      "storage: {external_labels: {a: ours}}\n");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_THAT(*read, SizeIs(2));
  EXPECT_EQ((*read)[0].settings.evaluation_interval_ms, 5'000);
  EXPECT_EQ((*read)[1].group.file, "/r/theirs.yml");
  EXPECT_EQ((*read)[1].settings.evaluation_interval_ms, 7'000);
  EXPECT_EQ((*read)[1].settings.external_labels, (model::Labels{{"a", "ours"}, {"b", "theirs"}}));
  EXPECT_EQ((*read)[1].settings.external_url, "http://here:1");
}

TEST_F(RulesPartTest, AllProblemsOfAllFilesAreNamed) {
  write("/r/a.yml", "groups: [{name: g, rules: [{record: x, expr: 'up{'}]}]\n");
  write("/r/b.yml",
        "groups: [{name: g, rules: [{alert: x, expr: up, annotations: {s: '{{ .X'}}]}]\n");
  const std::string text = problem("rules: {files: ['/r/*.yml', /r/missing.yml]}");
  EXPECT_THAT(text, HasSubstr("/r/a.yml:1: groups[0].rules[0].expr: could not parse"));
  EXPECT_THAT(text, HasSubstr("annotation \"s\""));
  EXPECT_THAT(text, HasSubstr("rules.files (/r/missing.yml): no such file"));
}

}  // namespace
}  // namespace binnacle::app
