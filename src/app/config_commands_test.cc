#include "app/config_commands.h"

#include "base/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace binnacle::app {
namespace {

using ::testing::HasSubstr;

class ConfigCommandsTest : public ::testing::Test {
 protected:
  void write(std::string_view yaml) { ASSERT_TRUE(files_.write_file_atomically("/b.yaml", yaml)); }

  FaultFileSystem files_;
  ConfigSources sources_{[](const std::string&) { return std::nullopt; }, files_};
  std::ostringstream out_, err_;
};

TEST_F(ConfigCommandsTest, CheckSaysThatAFileIsGood) {
  write("log: {level: debug}\n");
  EXPECT_EQ(run_config_check("/b.yaml", sources_, out_, err_), 0);
  EXPECT_EQ(out_.str(), "/b.yaml: good\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(ConfigCommandsTest, CheckNamesEveryProblem) {
  write("log: {level: loud}\nsever: {}\n");
  EXPECT_EQ(run_config_check("/b.yaml", sources_, out_, err_), 1);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(),
            "/b.yaml:1: log.level: unknown choice (loud): write one of trace, debug, info, warn, "
            "error, off\n"
            "/b.yaml:2: unknown key (sever): did you mean server?\n");
}

TEST_F(ConfigCommandsTest, CheckNamesAFileThatIsNotThere) {
  EXPECT_EQ(run_config_check("/no.yaml", sources_, out_, err_), 1);
  EXPECT_THAT(err_.str(), HasSubstr("/no.yaml: config cannot be read"));
}

TEST_F(ConfigCommandsTest, PrintShowsEffectiveValues) {
  write("log: {level: debug}\n");
  EXPECT_EQ(run_config_print({.file = "/b.yaml"}, sources_, out_, err_), 0);
  EXPECT_THAT(out_.str(), HasSubstr("log:\n  level: debug\n  format: auto  # default\n"));
}

TEST_F(ConfigCommandsTest, PrintWithoutAFileShowsDefaultsThatAreAGoodFile) {
  EXPECT_EQ(run_config_print({}, sources_, out_, err_), 0);
  write(out_.str());
  EXPECT_EQ(run_config_check("/b.yaml", sources_, out_, err_), 0) << err_.str();
}

TEST_F(ConfigCommandsTest, PrintWritesJson) {
  EXPECT_EQ(run_config_print({.file = "", .json = true}, sources_, out_, err_), 0);
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json.at(0).at("path"), "server.listen[0].address");
  EXPECT_EQ(json.at(0).at("value"), "127.0.0.1:8080");
}

TEST_F(ConfigCommandsTest, PrintRefusesABadFile) {
  write("x: 1\n");
  EXPECT_EQ(run_config_print({.file = "/b.yaml"}, sources_, out_, err_), 1);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("unknown key (x)"));
}

}  // namespace
}  // namespace binnacle::app
