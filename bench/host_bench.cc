// What the collectors of a machine cost: CPU time per tick of the host's parts, process groups and
// containers, all at their own periods, stored in memory; beside it the floor, which is the
// kernel's own work to write the files of one tick. usage: host_bench [TICKS] [PAUSE_MS]   A pause
// lets the caches cool as they do in the second between ticks.
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "collect/container/container_parts.h"
#include "collect/host/host_collector.h"
#include "collect/host/linux/kernel_file.h"
#include "store/metrics/linear_store.h"

namespace binnacle {
namespace {

constexpr int64_t kTickMs = 1000;
constexpr double kBudgetPercent = 0.3;

constexpr std::string_view kQuickFiles[] = {
    "/proc/stat",         "/proc/meminfo",       "/proc/loadavg",       "/proc/diskstats",
    "/proc/net/dev",      "/proc/net/netstat",   "/proc/net/snmp",      "/proc/net/snmp6",
    "/proc/net/sockstat", "/proc/net/sockstat6", "/proc/pressure/cpu",  "/proc/pressure/memory",
    "/proc/pressure/io",  "/proc/vmstat",        "/proc/sys/fs/file-nr"};

struct CpuMs {
  double user = 0;
  double system = 0;
  double total() const { return user + system; }
};

double to_ms(const timeval& t) {
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
}

CpuMs cpu_now() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return {to_ms(usage.ru_utime), to_ms(usage.ru_stime)};
}

struct Plan {
  int ticks = 200;
  int pause_ms = 0;
};

CpuMs measure(const Plan& plan, auto&& tick) {
  tick();  // the first opens files and makes series
  CpuMs spent;
  for (int i = 0; i < plan.ticks; ++i) {
    if (plan.pause_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(plan.pause_ms));
    const CpuMs before = cpu_now();
    tick();
    const CpuMs after = cpu_now();
    spent.user += after.user - before.user;
    spent.system += after.system - before.system;
  }
  return {spent.user / plan.ticks, spent.system / plan.ticks};
}

void print(const char* what, const CpuMs& per_tick) {
  std::printf("%-28s %7.3f ms CPU a tick (user %.3f, system %.3f) = %.3f %% of a core at 1 s\n",
              what, per_tick.total(), per_tick.user, per_tick.system,
              per_tick.total() / kTickMs * 100);
}

CpuMs measure_floor(const Plan& plan) {
  std::vector<collect::host::KernelFile> files;
  for (const std::string_view path : kQuickFiles) {
    files.emplace_back(real_file_system(), std::string(path));
  }
  return measure(plan, [&] {
    for (auto& file : files) (void)file.read_if_offered();
  });
}

Result<CpuMs> measure_collector(const Plan& plan, size_t& series) {
  // Simulated, so that 200 ticks are 200 s to the parts with a period of their own.
  SimulatedClock clock;
  Registry registry;
  store::metrics::LinearStore store(clock);
  TRY_ASSIGN(const auto collector,
             collect::host::HostCollector::create(
                 {}, real_file_system(), clock, store, registry, {{"job", "node"}},
                 collect::container::container_parts({}, {}, real_file_system(), clock)));
  Status outcome;
  const CpuMs per_tick = measure(plan, [&] {
    clock.advance_ms(kTickMs);
    if (auto tick = collector->collect_once(clock.wall_ms()); !tick) outcome = std::move(tick);
  });
  TRY(outcome);
  TRY_ASSIGN(const auto querier, store.querier(0, clock.wall_ms()));
  TRY_ASSIGN(const auto set, querier->select({}, {}));
  for (model::SeriesColumns one; set->next(one);) ++series;
  return per_tick;
}

int int_argument(const char* text, int fallback) {
  const std::string_view digits(text);
  int value = fallback;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

int run(const Plan& plan) {
  const CpuMs floor = measure_floor(plan);
  size_t series = 0;
  const auto collector = measure_collector(plan, series);
  if (!collector) {
    std::fprintf(stderr, "host_bench: %s\n", collector.error().message.c_str());
    return 1;
  }
  std::printf("%d ticks, %zu series, %d ms pause\n", plan.ticks, series, plan.pause_ms);
  print("floor (reading alone)", floor);
  print("host, processes, containers", *collector);
  const double percent = collector->total() / kTickMs * 100;
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("resident at most %.1f MiB, the samples of all ticks among them\n",
              static_cast<double>(usage.ru_maxrss) / 1024);
  std::printf("budget %.1f %% of a core: %s\n", kBudgetPercent,
              percent <= kBudgetPercent ? "kept" : "MISSED");
  return percent <= kBudgetPercent ? 0 : 1;
}

}  // namespace
}  // namespace binnacle

int main(int argc, char** argv) {
  binnacle::Plan plan;
  if (argc > 1) plan.ticks = std::max(1, binnacle::int_argument(argv[1], plan.ticks));
  if (argc > 2) plan.pause_ms = std::max(0, binnacle::int_argument(argv[2], plan.pause_ms));
  return binnacle::run(plan);
}
