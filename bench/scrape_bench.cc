// A scraped page from its text to the store: reading alone, up to the door of a store that does
// nothing, and into the metric store. Ten targets of 10,000 known series each, in text format.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "collect/scrape/page_appender.h"
#include "scrape_page.h"
#include "store/metrics/metric_store.h"

namespace binnacle::bench {
namespace {

using collect::scrape::JobConfig;
using collect::scrape::PageAppender;
using collect::scrape::ScrapeInstruments;
using collect::scrape::Target;

constexpr size_t kTargets = 10;
constexpr size_t kSeriesOfTarget = 10'000;
constexpr size_t kSteps = 4;

class EmptyStore final : public model::Appendable {
 public:
  std::unique_ptr<model::Appender> appender() override { return std::make_unique<Batch>(); }

 private:
  struct Batch final : model::Appender {
    Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                    model::Sample) override {
      ++count;
      return ref != model::kNoSeries ? ref : labels.hash() | 1;
    }
    size_t append_known(std::span<const model::KnownSample> samples) override {
      count += samples.size();
      return samples.size();
    }
    Result<model::CommitReport> commit() override { return model::CommitReport{count, {}}; }
    void rollback() override { count = 0; }
    size_t count = 0;
  };
};

// pages()[step][target]
const std::vector<std::vector<std::string>>& pages() {
  static const auto all = [] {
    ClusterData data(kTargets * kSeriesOfTarget / ClusterData::kSeriesPerGpu, 1);
    std::vector<std::vector<std::string>> steps(kSteps);
    for (auto& step : steps) {
      for (size_t i = 0; i < kTargets; ++i)
        step.push_back(scrape_page(data, i * kSeriesOfTarget, kSeriesOfTarget));
      data.step();
    }
    return steps;
  }();
  return all;
}

void read_page(benchmark::State& state) {
  collect::exposition::Reader reader;
  size_t at = 0;
  for (auto _ : state) {
    reader.begin(pages()[0][at++ % kTargets], collect::exposition::Format::kText);
    collect::exposition::Entry entry;
    double sum = 0;
    do {
      CHECK(reader.next(entry));
      sum += entry.value;
    } while (entry.kind != collect::exposition::Entry::Kind::kEnd);
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSeriesOfTarget));
}
BENCHMARK(read_page);

// A second passes between the rounds over all targets.
void scrape(benchmark::State& state, model::Appendable& store, SimulatedClock& clock,
            Registry& registry) {
  ScrapeInstruments instruments(registry);
  const auto job = std::make_shared<const JobConfig>();
  std::vector<std::unique_ptr<PageAppender>> targets;
  for (size_t i = 0; i < kTargets; ++i) {
    Target target;
    target.labels = model::Labels{{"instance", std::to_string(i)}, {"job", "bench"}};
    targets.push_back(std::make_unique<PageAppender>(target, collect::scrape::PageLimits{}, store,
                                                     clock, instruments, nullptr));
  }
  size_t at = 0;
  const auto take = [&] {
    const size_t target = at % kTargets;
    if (target == 0) clock.advance_ms(1000);
    const auto result = targets[target]->store(
        job, {.time_ms = clock.wall_ms(), .body = pages()[at / kTargets % kSteps][target]});
    CHECK(result.status);
    ++at;
  };
  for (size_t i = 0; i < 2 * kTargets; ++i) take();
  for (auto _ : state) take();
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSeriesOfTarget));
}

void to_the_door(benchmark::State& state) {
  SimulatedClock clock;
  Registry registry;
  EmptyStore store;
  scrape(state, store, clock, registry);
}
BENCHMARK(to_the_door);

void into_the_store(benchmark::State& state) {
  SimulatedClock clock;
  Registry registry;
  SystemRandom random;
  const auto folder =
      std::filesystem::temp_directory_path() / ("scrape_bench." + secure_random_hex(8));
  {
    auto store =
        store::metrics::MetricStore::open(folder, {}, real_file_system(), clock, random, registry);
    CHECK(store);
    scrape(state, **store, clock, registry);
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(into_the_store);

}  // namespace
}  // namespace binnacle::bench

BENCHMARK_MAIN();
