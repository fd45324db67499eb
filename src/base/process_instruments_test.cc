#include "base/file_system.h"
#include "base/instruments.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>
#include <ctime>
#include <latch>
#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace binnacle {
namespace {

using Samples = std::map<std::string, double, std::less<>>;

Samples collect(Registry& registry) {
  Samples samples;
  registry.visit([&](std::string_view name, auto, double value) { samples.emplace(name, value); });
  return samples;
}

class ProcessInstrumentsTest : public ::testing::Test {
 protected:
  void SetUp() override { register_process_instruments(registry_, "0.1.0", "abc123"); }

  Registry registry_;
};

TEST_F(ProcessInstrumentsTest, CountOpenDescriptors) {
  const double before = collect(registry_).at("process_open_fds");
  const auto file = real_file_system().open_readable("/proc/self/stat");
  EXPECT_EQ(collect(registry_).at("process_open_fds"), before + 1);
}

TEST_F(ProcessInstrumentsTest, SeeMemoryGrow) {
  const double before = collect(registry_).at("process_resident_memory_bytes");
  constexpr size_t kBytes = size_t{32} << 20;
  const std::vector<char> touched(kBytes, 'x');
  const Samples after = collect(registry_);
  EXPECT_GT(after.at("process_resident_memory_bytes"), before + kBytes / 2);
  EXPECT_GT(after.at("process_virtual_memory_bytes"), after.at("process_resident_memory_bytes"));
  EXPECT_GT(after.at("process_virtual_memory_max_bytes"), kBytes);
  EXPECT_EQ(touched.back(), 'x');
}

TEST_F(ProcessInstrumentsTest, CountThreads) {
  const double before = collect(registry_).at("process_threads");
  std::latch done(1);
  std::thread waiting([&] { done.wait(); });
  EXPECT_EQ(collect(registry_).at("process_threads"), before + 1);
  done.count_down();
  waiting.join();
}

TEST_F(ProcessInstrumentsTest, CpuTimeAgreesWithTheKernelAndNeverFalls) {
  const double before = collect(registry_).at("process_cpu_seconds_total");
  const std::clock_t start = std::clock();
  while (std::clock() - start < CLOCKS_PER_SEC / 5) {
  }
  const double after = collect(registry_).at("process_cpu_seconds_total");
  EXPECT_GE(after - before, 0.15);
  rusage use{};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &use), 0);
  const double used = static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                      static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
  EXPECT_NEAR(after, used, 0.1);
}

TEST_F(ProcessInstrumentsTest, StartedAfterBootAndBeforeNow) {
  const double start = collect(registry_).at("process_start_time_seconds");
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(start, now + 1);
  EXPECT_GT(start, now - 600);
}

TEST_F(ProcessInstrumentsTest, KnowTheLimitsAndTheBuild) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(collect(registry_).at("process_max_fds"), static_cast<double>(limit.rlim_cur));
  EXPECT_NE(registry_.write(TextFormat::kPrometheus004)
                .find("binnacle_build_info{revision=\"abc123\",version=\"0.1.0\"} 1\n"),
            std::string::npos);
}

TEST_F(ProcessInstrumentsTest, AreCollectedByManyAtOnce) {
  std::vector<std::thread> collectors;
  for (int t = 0; t < 4; ++t) {
    collectors.emplace_back([&] {
      double last = 0;
      for (int i = 0; i < 50; ++i) {
        const double cpu = collect(registry_).at("process_cpu_seconds_total");
        EXPECT_GE(cpu, last);
        last = cpu;
      }
    });
  }
  for (auto& collector : collectors) collector.join();
  rusage use{};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &use), 0);
  const auto used = static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec + 1);
  EXPECT_LT(collect(registry_).at("process_cpu_seconds_total"), used + 1)
      << "no time counted twice";
}

}  // namespace
}  // namespace binnacle
