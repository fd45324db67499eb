#include "app/store_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "store/metrics/store_test_run.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using store::metrics::MetricStore;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t kFlushAll = 4'000'000'000'000;
const std::string kFolder = "data/metrics";

class StoreCommandsTest : public testing::Test {
 protected:
  // One block with 2 series, and 1 series in the head.
  void SetUp() override {
    open();
    put("a", 0, 1);
    put("b", 0, 2);
    ASSERT_TRUE(store_->flush(kFlushAll));
    block_ = only_block();
    put("c", 60'000, 3);
    store_.reset();
  }
  void open() {
    auto made = MetricStore::open(kFolder, {}, files_, clock_, random_, registry_);
    ASSERT_TRUE(made) << made.error().message;
    store_ = std::move(*made);
  }
  void put(const std::string& job, int64_t at, double value) {
    ASSERT_TRUE(store::metrics::put(*store_, {{"__name__", "up"}, {"job", job}},
                                    clock_.wall_ms() + at, value));
  }
  std::string only_block() {
    const auto entries = files_.list(kFolder + "/blocks");
    return entries && entries->size() == 1 ? entries->front().name : "";
  }
  // In the middle of a file of the block, found by its extension or name.
  void damage_block(const std::string& file) {
    const std::string path = kFolder + "/blocks/" + block_ + "/" + file;
    const auto size = files_.read_file(path)->size();
    files_.corrupt(path, size / 2);
  }

  int run(int (*command)(const StoreCommand&, FileSystem&, std::ostream&, std::ostream&),
          bool as_json = false) {
    std::ostringstream out, err;
    const int code = command({.data_folder = "data", .json = as_json}, files_, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  int run_dump(StoreDump dump) {
    dump.command.data_folder = "data";
    std::ostringstream out, err;
    const int code = run_store_dump(dump, files_, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  FaultFileSystem files_;
  SimulatedClock clock_;
  SeededRandom random_{1};
  Registry registry_;
  std::unique_ptr<MetricStore> store_;
  std::string block_;
  std::string out_, err_;
};

TEST_F(StoreCommandsTest, StatsTellBlocksSnapshotAndLog) {
  ASSERT_EQ(run(run_store_stats), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(block_));
  EXPECT_THAT(out_, HasSubstr("1 blocks, 2 samples"));
  EXPECT_THAT(out_, HasSubstr("head snapshot " + kFolder + "/snapshots/"));
  EXPECT_THAT(out_, HasSubstr("write-ahead log: "));
  EXPECT_THAT(out_, Not(HasSubstr("damaged")));
}

TEST_F(StoreCommandsTest, StatsAsJson) {
  ASSERT_EQ(run(run_store_stats, true), 0) << err_;
  const json stats = json::parse(out_);
  ASSERT_EQ(stats["blocks"].size(), 1u);
  EXPECT_EQ(stats["blocks"][0]["ulid"], block_);
  EXPECT_EQ(stats["blocks"][0]["series"], 2);
  EXPECT_EQ(stats["blocks"][0]["samples"], 2);
  EXPECT_EQ(stats["blocks"][0]["level"], 1);
  EXPECT_EQ(stats["problems"], 0);
}

TEST_F(StoreCommandsTest, VerifySaysGood) {
  EXPECT_EQ(run(run_store_verify), 0) << out_ << err_;
  EXPECT_EQ(out_, kFolder + ": good\n");
  EXPECT_EQ(run(run_store_verify, true), 0);
  EXPECT_EQ(json::parse(out_)["problems"], 0);
}

TEST_F(StoreCommandsTest, AStoreThatIsNotThereIsNamed) {
  for (const auto command : {run_store_stats, run_store_verify, run_store_repair}) {
    std::ostringstream out, err;
    EXPECT_EQ(command({.data_folder = "nowhere", .json = false}, files_, out, err), 1);
    EXPECT_THAT(err.str(), HasSubstr("nowhere/metrics"));
    EXPECT_FALSE(files_.exists("nowhere"));
  }
}

TEST_F(StoreCommandsTest, VerifyFindsADamagedBlockAndChangesNothing) {
  damage_block("meta.json");
  const uint64_t changes = files_.changes();
  EXPECT_EQ(run(run_store_verify), 1);
  EXPECT_THAT(out_, HasSubstr("damaged: " + block_));
  EXPECT_EQ(run(run_store_verify, true), 1);
  EXPECT_EQ(json::parse(out_)["problems"], 1);
  EXPECT_THAT(std::string(json::parse(out_)["blocks"][0]["problem"]), Not(""));
  EXPECT_EQ(files_.changes(), changes);
}

TEST_F(StoreCommandsTest, EveryFileOfABlockIsVerified) {
  const std::string folder = kFolder + "/blocks/" + block_;
  const auto entries = files_.list(folder);
  ASSERT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    const std::string path = folder + "/" + entry.name;
    const auto size = files_.read_file(path)->size();
    if (size == 0) continue;
    files_.corrupt(path, size / 2);
    EXPECT_EQ(run(run_store_verify), 1) << entry.name;
    files_.corrupt(path, size / 2);
    EXPECT_EQ(run(run_store_verify), 0) << entry.name;
  }
}

TEST_F(StoreCommandsTest, RepairSetsADamagedBlockAsideAndTheRestIsUsable) {
  damage_block("meta.json");
  ASSERT_EQ(run(run_store_repair), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("damaged: " + block_));
  EXPECT_THAT(out_, HasSubstr("usable"));
  EXPECT_TRUE(files_.exists(kFolder + "/blocks/" + block_ + ".damaged/meta.json"));
  EXPECT_EQ(run(run_store_verify), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("set aside by an earlier start: blocks/" + block_ + ".damaged"));
  ASSERT_EQ(run_dump({}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(R"("job":"c")"));
  EXPECT_THAT(out_, Not(HasSubstr(R"("job":"a")")));
}

TEST_F(StoreCommandsTest, RepairOfAGoodStoreLosesNothing) {
  ASSERT_EQ(run(run_store_repair), 0) << err_;
  EXPECT_TRUE(files_.exists(kFolder + "/blocks/" + block_));
  ASSERT_EQ(run_dump({}), 0);
  for (const char* job : {"a", "b", "c"})
    EXPECT_THAT(out_, HasSubstr(std::string(R"("job":")") + job));
}

TEST_F(StoreCommandsTest, RepairTwoDamagedBlocksOfOneNameKeepsBoth) {
  ASSERT_TRUE(files_.create_directories(kFolder + "/blocks/" + block_ + ".damaged"));
  ASSERT_TRUE(files_.write_file_atomically(kFolder + "/blocks/" + block_ + ".damaged/old", "x"));
  damage_block("meta.json");
  ASSERT_EQ(run(run_store_repair), 0) << err_;
  EXPECT_TRUE(files_.exists(kFolder + "/blocks/" + block_ + ".damaged/old"));
}

TEST_F(StoreCommandsTest, WhileAServerRunsNothingIsRepairedOrDumped) {
  damage_block("meta.json");
  const auto lock = files_.lock(kFolder + "/lock");
  ASSERT_TRUE(lock);
  EXPECT_EQ(run(run_store_repair), 1);
  EXPECT_TRUE(files_.exists(kFolder + "/blocks/" + block_));
  EXPECT_EQ(run_dump({}), 1);
  EXPECT_EQ(out_, "");
}

TEST_F(StoreCommandsTest, DumpWritesALineForEachSeries) {
  ASSERT_EQ(run_dump({}), 0) << err_;
  const std::string ms = std::to_string(clock_.wall_ms());
  EXPECT_THAT(out_, HasSubstr(R"({"metric":{"__name__":"up","job":"a"},"values":[1],)"
                              R"("timestamps":[)" +
                              ms + "]}\n"));
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 3);
}

TEST_F(StoreCommandsTest, DumpKeepsToSelectorsAndTime) {
  ASSERT_EQ(run_dump({.command = {}, .selectors = {R"({job="a"})", R"({job="c"})"}}), 0) << err_;
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
  const std::string later = std::to_string(clock_.wall_ms() / 1000 + 30);
  ASSERT_EQ(run_dump({.command = {}, .selectors = {}, .start = later}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr(R"("job":"c")"));
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 1);
  ASSERT_EQ(run_dump({.command = {}, .selectors = {}, .start = {}, .end = later}), 0) << err_;
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 2);
}

TEST_F(StoreCommandsTest, DumpRefusesWhatItCannotRead) {
  EXPECT_EQ(run_dump({.command = {}, .selectors = {"up{"}}), 1);
  EXPECT_THAT(err_, Not(""));
  EXPECT_EQ(run_dump({.command = {}, .selectors = {}, .start = "yesterday"}), 1);
}

TEST_F(StoreCommandsTest, TheCommandLineIsCheckedBeforeAnythingIsDone) {
  const auto parse = [](const std::string& line) {
    CLI::App root;
    int exit_code = 0;
    add_store_commands(root, exit_code);
    try {
      root.parse(line);
    } catch (const CLI::ParseError& error) {
      return error.get_exit_code();
    }
    return exit_code;
  };
  EXPECT_NE(parse("store"), 0);
  EXPECT_NE(parse("store stats --format xml"), 0);
  EXPECT_NE(parse("store mend"), 0);
}

}  // namespace
}  // namespace binnacle::app
