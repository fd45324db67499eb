#include "collect/gpu/gpu_board.h"

#include <gtest/gtest.h>

#include "collect/gpu/gpu_metrics.h"

namespace binnacle::collect::gpu {
namespace {

GpuReading gpu(unsigned pid, double busy_percent, double watts) {
  GpuReading reading;
  reading.values = {{&kUtilization, busy_percent}, {&kPower, watts}, {&kPowerLimit, 700}};
  reading.processes.push_back({.pid = pid});
  return reading;
}

std::shared_ptr<const Result<GpuSnapshot>> snapshot(std::vector<GpuReading> gpus) {
  GpuSnapshot made;
  made.gpus = std::move(gpus);
  return std::make_shared<const Result<GpuSnapshot>>(std::move(made));
}

TEST(GpuBoard, TellsOfTheGpusThatTheProcessesRunOn) {
  SimulatedClock clock;
  GpuBoard board(clock);
  EXPECT_FALSE(board.of_processes({7}));
  board.put(snapshot({gpu(7, 97, 84), gpu(8, 50, 630), gpu(9, 97, 70)}));
  const int64_t at_ms = clock.monotonic_ms();
  clock.advance_ms(500);
  const auto use = board.of_processes({7, 9});
  ASSERT_TRUE(use);
  EXPECT_DOUBLE_EQ(use->utilization_ratio, 0.97);
  EXPECT_DOUBLE_EQ(use->power_ratio, 0.12);
  EXPECT_EQ(use->at_ms, at_ms);
  EXPECT_FALSE(board.of_processes({4711}));
}

TEST(GpuBoard, ADriverThatTellsNoPowerOrFailsTellsNothing) {
  const SimulatedClock clock;
  GpuBoard board(clock);
  GpuReading without = gpu(7, 97, 84);
  without.values.pop_back();
  board.put(snapshot({without}));
  EXPECT_FALSE(board.of_processes({7}));
  board.put(std::make_shared<const Result<GpuSnapshot>>(fail(Code::kUnavailable, "gone")));
  EXPECT_FALSE(board.of_processes({7}));
}

}  // namespace
}  // namespace binnacle::collect::gpu
