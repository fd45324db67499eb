// For tests of the metric store: a store on a disk that can fail, at a time that the test owns, and
// what it answers as text.
#pragma once

#include <bit>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fault_file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "store/metrics/metric_store.h"

namespace binnacle::store::metrics {

// Where a test goes through many places, builds with a sanitizer look at every fifth: they are ten
// times as slow.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr uint64_t kTestStride = 5;
#else
inline constexpr uint64_t kTestStride = 1;
#endif

// "up{job="a"} 1@0 2@15000": times relative to `from_ms`; what is no small number shows as bits.
inline std::vector<std::string> dump(model::Queryable& store, const model::Matchers& matchers,
                                     int64_t min_ms, int64_t max_ms, int64_t from_ms) {
  std::vector<std::string> out;
  const auto querier = store.querier(min_ms, max_ms);
  if (!querier) return {querier.error().message};
  const auto set = (*querier)->select(matchers, {});
  if (!set) return {set.error().message};
  model::SeriesColumns columns;
  while ((*set)->next(columns)) {
    std::string line = columns.labels.to_string();
    for (size_t i = 0; i < columns.values.size(); ++i) {
      const double value = columns.values[i];
      const bool plain = value == std::floor(value) && std::abs(value) < 1e9;
      line += " " + (plain ? std::to_string(static_cast<int64_t>(value))
                           : std::to_string(std::bit_cast<uint64_t>(value)));
      line += "@" + std::to_string(columns.timestamps_ms[i] - from_ms);
    }
    out.push_back(std::move(line));
  }
  if (!(*set)->status()) out.push_back((*set)->status().error().message);
  return out;
}

// One sample in one batch; the refusal where there is one.
inline Status put(model::Appendable& store, const model::Labels& labels, int64_t at_ms,
                  double value) {
  const auto appender = store.appender();
  if (auto ref = appender->append(model::kNoSeries, labels, {at_ms, value}); !ref)
    return fail(ref.error());
  auto report = appender->commit();
  if (!report) return fail(report.error());
  if (!report->refused.empty()) return fail(report->refused.front().error);
  return {};
}

class StoreTestRun {
 public:
  // `seed`: of what a disk that fails leaves.
  explicit StoreTestRun(StoreOptions options = {}, uint64_t seed = 1)
      : options_(std::move(options)), files(seed) {
    options_.wal.sync_always = true;
  }

  // Opens it, or opens it anew after close() or crash().
  Status open() {
    auto made = MetricStore::open("data", options_, files, clock, random, registry);
    if (!made) return fail(made.error());
    store = std::move(*made);
    return {};
  }
  void close() { store.reset(); }
  // The end of the process, or of the machine; the disk works again afterwards.
  void crash(Crash kind) {
    files.power_off_after(0);
    store.reset();
    files.crash(kind);
  }

  StoreOptions options_;
  SimulatedClock clock;
  FaultFileSystem files;
  SeededRandom random{1};
  Registry registry;
  std::unique_ptr<MetricStore> store;
  const int64_t start_ms = clock.wall_ms();
};

}  // namespace binnacle::store::metrics
