#include "app/promql_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/fault_file_system.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kGood = "load 1m\n up 1+1x9\n\neval instant at 2m up\n up 3\n";
constexpr std::string_view kBad = "load 1m\n up 1+1x9\n\neval instant at 2m up\n up 4\n";

class PromqlCommandsTest : public testing::Test {
 protected:
  void write(const std::string& path, std::string_view text) {
    auto file = files_.open_writable(path, FileSystem::Create::kTruncate, 0644);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->append(text));
    ASSERT_TRUE((*file)->close());
  }
  int run(const PromqlTest& command) {
    std::ostringstream out, err;
    const int code = run_promql_test(command, files_, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  FaultFileSystem files_{1};
  std::string out_, err_;
};

TEST_F(PromqlCommandsTest, TellsCountsAndExitsWithZero) {
  write("good.test", kGood);
  EXPECT_EQ(run({.paths = {"good.test"}}), 0);
  EXPECT_EQ(out_, "good.test: 1 passed, 0 failed, 0 skipped (need native histograms)\n");
}

TEST_F(PromqlCommandsTest, AFailureIsOneBlockThatNamesItsLine) {
  write("bad.test", kBad);
  EXPECT_EQ(run({.paths = {"bad.test"}}), 1);
  EXPECT_EQ(out_,
            "bad.test:4: up\n"
            "  up: expected point 0 to be 4, got 3\n"
            "  expected:\n"
            "    up 4\n"
            "  got:\n"
            "    up 3\n\n"
            "bad.test: 0 passed, 1 failed, 0 skipped (need native histograms)\n");
}

TEST_F(PromqlCommandsTest, AFileThatIsNoScriptIsTwoAndStopsNoOther) {
  write("good.test", kGood);
  write("none.test", "what is this");
  EXPECT_EQ(run({.paths = {"none.test", "missing.test", "good.test"}}), 2);
  EXPECT_THAT(err_, HasSubstr("none.test:1: unknown command"));
  EXPECT_THAT(err_, HasSubstr("missing.test"));
  EXPECT_THAT(out_, HasSubstr("all 3 files: 1 passed"));
}

TEST_F(PromqlCommandsTest, ManyFailuresAreCutUnlessAllAreWanted) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "eval instant at 0 " + std::to_string(i) + "\n  -1\n\n";
  write("bad.test", text);
  EXPECT_EQ(run({.paths = {"bad.test"}}), 1);
  EXPECT_THAT(out_, HasSubstr("... and 2 more failures"));
  EXPECT_THAT(out_, Not(HasSubstr("bad.test:34: ")));
  EXPECT_EQ(run({.paths = {"bad.test"}, .verbose = true}), 1);
  EXPECT_THAT(out_, HasSubstr("bad.test:34: "));
}

TEST_F(PromqlCommandsTest, JsonHoldsTheSame) {
  write("bad.test", kBad);
  EXPECT_EQ(run({.paths = {"bad.test"}, .json = true}), 1);
  const json all = json::parse(out_);
  EXPECT_EQ(all["failed"], 1);
  EXPECT_EQ(all["files"][0]["failures"][0]["line"], 4);
  EXPECT_EQ(all["files"][0]["failures"][0]["got"], "up 3\n");
}

}  // namespace
}  // namespace binnacle::app
