#include "app/store_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/metrics/store_test_run.h"

namespace binnacle::app {
namespace {

using store::metrics::dump;
using store::metrics::put;
using testing::HasSubstr;

constexpr int64_t kEndMs = 4'000'000'000'000;

class StoreGateTest : public testing::Test {
 protected:
  void open() {
    ASSERT_TRUE(run_.open());
    gate_.open(std::move(run_.store));
  }
  std::vector<std::string> held() { return dump(gate_, {}, 0, kEndMs, run_.start_ms); }

  store::metrics::StoreTestRun run_;
  StoreGate gate_;
  const model::Labels up_ = {{"__name__", "up"}};
};

TEST_F(StoreGateTest, BeforeItIsOpenEverythingIsPutOffWithTheProgress) {
  EXPECT_EQ(gate_.store(), nullptr);
  EXPECT_EQ(gate_.status().error().message, "the metric store is being loaded");
  gate_.progress().total_bytes = 30'000'000;
  gate_.progress().done_bytes = 12'400'000;
  EXPECT_THAT(gate_.status().error().message, HasSubstr("12 of 30 MB"));
  EXPECT_EQ(gate_.status().error().code, Code::kUnavailable);
  EXPECT_EQ(gate_.querier(0, 1).error().code, Code::kUnavailable);
  const auto appender = gate_.appender();
  EXPECT_EQ(appender->append(model::kNoSeries, up_, {0, 1}).error().code, Code::kUnavailable);
  EXPECT_EQ(appender->commit().error().code, Code::kUnavailable)
      << "an empty batch is not acknowledged either";
}

TEST_F(StoreGateTest, ABatchThatBeganBeforeItWasOpenStaysRefused) {
  const auto early = gate_.appender();
  open();
  EXPECT_EQ(early->commit().error().code, Code::kUnavailable);
}

TEST_F(StoreGateTest, OnceOpenItIsTheStore) {
  open();
  EXPECT_TRUE(gate_.status());
  const auto appender = gate_.appender();
  ASSERT_TRUE(appender->append(model::kNoSeries, up_, {run_.start_ms, 1}));
  appender->append_metadata("up", {.help = "Is it?"});
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(held(), std::vector<std::string>{"up 1@0"});
  ASSERT_EQ(gate_.store()->metadata().size(), 1u);
  EXPECT_EQ(gate_.store()->metadata().front().second.help, "Is it?");
}

TEST_F(StoreGateTest, ItIsAsReadyAsTheStoreIsWritable) {
  open();
  run_.files.inject({.op = FileOp::kWrite, .error_number = 5, .path_part = "wal"});
  EXPECT_EQ(put(gate_, up_, run_.start_ms, 1).error().code, Code::kUnavailable);
  EXPECT_THAT(gate_.status().error().message, HasSubstr("not writable"));
  gate_.store()->upkeep_once();
  EXPECT_TRUE(gate_.status());
  EXPECT_TRUE(put(gate_, up_, run_.start_ms + 1, 2));
}

TEST_F(StoreGateTest, OnceClosedNoBatchBeginsAndReadersReadOn) {
  open();
  ASSERT_TRUE(put(gate_, up_, run_.start_ms, 1));
  gate_.close();
  EXPECT_EQ(put(gate_, up_, run_.start_ms + 1, 2).error().code, Code::kUnavailable);
  EXPECT_THAT(gate_.status().error().message, HasSubstr("closed"));
  EXPECT_EQ(held(), std::vector<std::string>{"up 1@0"});
  gate_.close();  // twice is fine
}

TEST_F(StoreGateTest, CloseWithoutOpenIsFine) {
  gate_.close();
  EXPECT_EQ(gate_.status().error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace binnacle::app
