#include "engine/model/routing_log.h"

#include <gtest/gtest.h>

#include <array>

#include "base/fault_file_system.h"

namespace binnacle::engine {
namespace {

constexpr std::array<int32_t, 2> kExperts = {5, 0};
constexpr std::array<float, 2> kWeights = {0.625F, 0.375F};

TEST(RoutingLog, WritesLinesAndBeginsAnewWhenFull) {
  FaultFileSystem files;
  auto log = RoutingLog::open(files, "/routing.jsonl", 200);
  ASSERT_TRUE(log) << log.error().message;
  for (int32_t position = 0; position < 6; ++position) {
    (*log)->add(7, position, 3, kExperts, kWeights);
    if (position % 2 == 1) (*log)->flush();
  }
  const std::string line = R"(,"layer":3,"experts":[5,0],"weights":[0.625,0.375]})"
                           "\n";
  const auto lines = [&](int first) {
    const auto one = [&](int position) {
      return R"({"sequence":7,"position":)" + std::to_string(position) + line;
    };
    return one(first) + one(first + 1);
  };
  EXPECT_EQ(files.read_file("/routing.jsonl").value(), lines(4));
  EXPECT_EQ(files.read_file("/routing.jsonl.1").value(), lines(2));
  EXPECT_EQ((*log)->lines_lost(), 0);
}

TEST(RoutingLog, ADiskThatFailsLosesLinesAndNothingElse) {
  FaultFileSystem files;
  auto log = RoutingLog::open(files, "/routing.jsonl", 1 << 20);
  ASSERT_TRUE(log);
  files.set_capacity(10);
  (*log)->add(7, 0, 3, kExperts, kWeights);
  (*log)->flush();
  EXPECT_EQ((*log)->lines_lost(), 1);
  files.set_capacity(std::nullopt);
  (*log)->add(7, 1, 3, kExperts, kWeights);
  (*log)->flush();
  EXPECT_EQ((*log)->lines_lost(), 1);
  // What was torn ends before the next line begins.
  EXPECT_EQ(files.read_file("/routing.jsonl").value(),
            "{\"sequence\n"
            R"({"sequence":7,"position":1,"layer":3,"experts":[5,0],"weights":[0.625,0.375]})"
            "\n");
}

}  // namespace
}  // namespace binnacle::engine
