#include "engine/train/grpc_collective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine/train/test_run.h"

namespace binnacle::engine {
namespace {

using testing::HasSubstr;

std::unique_ptr<GrpcCollective> open_rank(int32_t rank, const std::string& address,
                                          const Clock& clock, uint64_t fingerprint = 1) {
  GrpcCollectiveOptions options;
  options.rank = rank;
  options.ranks = 2;
  options.address = address;
  options.fingerprint = fingerprint;
  options.max_values = 1 << 20;
  options.least_timeout_ms = 300;
  options.join_timeout_ms = 10'000;
  return GrpcCollective::open(options, real_file_system(), clock).value();
}

// Two ranks with half the rows each see the batch of one rank with all of them.
TEST(GrpcCollectiveTest, TwoRanksTrainAsOne) {
  TrainSettings whole_settings = tiny_settings();
  whole_settings.steps = 6;
  FaultFileSystem whole_files;
  TestRun whole(whole_settings, whole_files);
  ASSERT_TRUE(whole.trainer->begin());
  ASSERT_TRUE(whole.trainer->run());

  const SystemClock clock;
  TrainSettings settings = whole_settings;
  settings.ranks = 2;
  settings.rows = whole_settings.rows / 2;
  const auto zero = open_rank(0, "127.0.0.1:0", clock);
  const auto one = open_rank(1, zero->address(), clock);
  FaultFileSystem files;
  TestRun first(settings, files, zero.get());
  settings.rank = 1;
  TestRun second(settings, files, one.get());
  std::thread other([&] {
    ASSERT_TRUE(second.trainer->begin());
    ASSERT_TRUE(second.trainer->run());
  });
  ASSERT_TRUE(first.trainer->begin());
  const auto end = first.trainer->run();
  other.join();
  ASSERT_TRUE(end);
  EXPECT_EQ(first.weights(), second.weights());
  // The balance loss is of each rank's own rows, so that the bits differ and little else.
  EXPECT_NEAR(first.steps.back().loss.cross_entropy, whole.steps.back().loss.cross_entropy, 0.05);
  EXPECT_EQ(first.steps.back().tokens, whole.steps.back().tokens);
  EXPECT_THAT(first.registry.write(TextFormat::kPrometheus004),
              HasSubstr("train_last_step_timestamp{rank=\"1\"}"));
}

TEST(GrpcCollectiveTest, RankThatHangsIsNamedWithItsLastStep) {
  const SystemClock clock;
  const auto zero = open_rank(0, "127.0.0.1:0", clock);
  const auto one = open_rank(1, zero->address(), clock);
  std::vector<float> mine{1, 2};
  std::vector<float> other{3, 6};
  std::thread member([&] { ASSERT_TRUE(one->average(4, other, {7})); });
  const auto reports = zero->average(4, mine, {5});
  member.join();
  ASSERT_TRUE(reports);
  EXPECT_EQ(mine, (std::vector<float>{2, 4}));
  EXPECT_EQ(other, mine);
  EXPECT_EQ((*reports)[1], std::vector<double>{7});
  const auto failed = zero->average(5, mine, {5});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("rank 1 (last came to step 4)"));
}

TEST(GrpcCollectiveTest, OtherSettingsAreRefused) {
  const SystemClock clock;
  const auto zero = open_rank(0, "127.0.0.1:0", clock);
  const auto one = open_rank(1, zero->address(), clock, 2);
  std::vector<float> values{1};
  const auto joined = one->average(0, values, {});
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(joined.error().message, HasSubstr("other settings or texts"));
}

TEST(GrpcCollectiveTest, OpenAddressNeedsTls) {
  const SystemClock clock;
  GrpcCollectiveOptions options;
  options.ranks = 2;
  options.address = "0.0.0.0:0";
  const auto opened = GrpcCollective::open(options, real_file_system(), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace binnacle::engine
