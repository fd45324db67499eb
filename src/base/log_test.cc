#include "base/log.h"

#include "base/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <stdlib.h>
#include <sstream>
#include <thread>

namespace binnacle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Logging is one for the process: each test leaves it as it found it.
class LogTest : public ::testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(configure_logging(LogOptions{})); }
};

TEST_F(LogTest, WritesWhatTheComponentSays) {
  const LogCapture capture;
  const Log log("log-test");
  log.warn("disk is filling", {{"free_bytes", 17u}, {"path", "/data"}});
  ASSERT_THAT(capture.lines(), SizeIs(1));
  const auto line = nlohmann::json::parse(capture.lines()[0]);
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["service"], "binnacle");
  EXPECT_EQ(line["component"], "log-test");
  EXPECT_EQ(line["message"], "disk is filling");
  EXPECT_EQ(line["free_bytes"], 17);
  EXPECT_EQ(line["path"], "/data");
  EXPECT_FALSE(line.contains("request_id"));
}

TEST_F(LogTest, KeepsToTheLevelOfItsComponentWhileItChanges) {
  const LogCapture capture;
  const Log log("level-test");
  const Log same("level-test");
  const Log other("level-other");
  EXPECT_FALSE(log.enabled(LogLevel::kDebug));
  log.debug("hidden");
  set_log_level("level-test", LogLevel::kDebug);
  EXPECT_TRUE(log.enabled(LogLevel::kDebug));
  EXPECT_TRUE(same.enabled(LogLevel::kDebug)) << "a component has one level, however many name it";
  EXPECT_FALSE(other.enabled(LogLevel::kDebug));
  log.debug("shown");
  set_log_level("level-test", LogLevel::kOff);
  log.error("hidden too");
  ASSERT_THAT(capture.lines(), SizeIs(1));
  EXPECT_THAT(capture.lines()[0], HasSubstr("\"shown\""));
}

TEST_F(LogTest, ALevelMayBeSetBeforeTheComponentIsSeen) {
  set_log_level("later", LogLevel::kTrace);
  EXPECT_TRUE(Log("later").enabled(LogLevel::kTrace));
}

TEST_F(LogTest, ConfiguresAllLevelsAnew) {
  const Log named("conf-named");
  const Log other("conf-other");
  set_log_level("conf-other", LogLevel::kTrace);
  LogOptions options;
  options.level = LogLevel::kError;
  options.component_levels = {{"conf-named", LogLevel::kDebug}};
  options.service = "binnacle-agent";
  ASSERT_TRUE(configure_logging(options));
  EXPECT_TRUE(named.enabled(LogLevel::kDebug));
  EXPECT_FALSE(other.enabled(LogLevel::kWarn));
  EXPECT_TRUE(other.enabled(LogLevel::kError));
  const LogCapture capture;
  other.error("x");
  EXPECT_THAT(capture.lines().at(0), HasSubstr("\"service\":\"binnacle-agent\""));
}

TEST_F(LogTest, RequestIdsBelongToThreadAndScope) {
  const LogCapture capture;
  const Log log("scope-test");
  {
    const LogRequestScope outer("outer");
    {
      const LogRequestScope inner("inner");
      log.info("1");
      std::thread([&] { log.info("2"); }).join();
    }
    log.info("3");
  }
  log.info("4");
  const auto lines = capture.lines();
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[0], HasSubstr("\"request_id\":\"inner\""));
  EXPECT_THAT(lines[1], Not(HasSubstr("request_id")));
  EXPECT_THAT(lines[2], HasSubstr("\"request_id\":\"outer\""));
  EXPECT_THAT(lines[3], Not(HasSubstr("request_id")));
}

class LogFileTest : public LogTest {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "binnacle-log-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.file = folder_ + "/binnacle.log";
  }
  void TearDown() override {
    LogTest::TearDown();
    ASSERT_TRUE(real_file_system().remove_all(folder_));
  }
  std::string text(const std::string& path) { return real_file_system().read_file(path).value(); }

  std::string folder_;
  LogOptions options_;
};

TEST_F(LogFileTest, ALineIsInTheFileAtOnceAndWhole) {
  ASSERT_TRUE(configure_logging(options_));
  const Log log("file-test");
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&] {
      for (int i = 0; i < 100; ++i) log.info("line", {{"i", i}});
    });
  }
  for (auto& writer : writers) writer.join();
  std::istringstream lines(text(options_.file));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(count, 400);
}

TEST_F(LogFileTest, AFileIsWrittenAsTextWhenAskedAndNeverInColour) {
  options_.format = LogFormat::kText;
  ASSERT_TRUE(configure_logging(options_));
  Log("file-test").info("hello", {{"a", 1}});
  EXPECT_THAT(text(options_.file),
              AllOf(HasSubstr(" INFO  file-test: hello a=1\n"), Not(HasSubstr("\x1b"))));
}

TEST_F(LogFileTest, ConfiguringAgainOpensARotatedFileAnew) {
  ASSERT_TRUE(configure_logging(options_));
  const Log log("file-test");
  log.info("before");
  ASSERT_TRUE(real_file_system().rename(options_.file, options_.file + ".1"));
  ASSERT_TRUE(configure_logging(options_));
  log.info("after");
  EXPECT_THAT(text(options_.file + ".1"), HasSubstr("before"));
  EXPECT_THAT(text(options_.file), AllOf(HasSubstr("after"), Not(HasSubstr("before"))));
}

TEST_F(LogFileTest, AFileThatCannotBeOpenedChangesNothing) {
  ASSERT_TRUE(configure_logging(options_));
  LogOptions broken = options_;
  broken.file = folder_ + "/binnacle.log/below-a-file";
  broken.level = LogLevel::kOff;
  const auto status = configure_logging(broken);
  EXPECT_EQ(status.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(status.error().message, HasSubstr(broken.file));
  Log("file-test").info("still here");
  EXPECT_THAT(text(options_.file), HasSubstr("still here"));
}

TEST(LogLevelNames, ReadBackAndRefuseOthers) {
  for (int i = 0; i <= static_cast<int>(LogLevel::kOff); ++i) {
    const auto level = static_cast<LogLevel>(i);
    EXPECT_EQ(log_level_from_name(log_level_name(level)).value(), level);
  }
  EXPECT_EQ(log_level_name(LogLevel::kWarn), "warn");
  EXPECT_EQ(log_level_from_name("loud").error().message,
            "log level: unknown name (loud); use one of trace, debug, info, warn, error, off");
}

}  // namespace
}  // namespace binnacle
