// Functions over range vectors: 1,000 series of 100 samples, 100 steps, windows of 20 samples (or
// as many as the argument says), nothing read from a store. Times are of one step of one series.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "query/promql/function_table.h"
#include "query/promql/range_functions.h"

namespace binnacle::bench {
namespace {

using namespace query::promql;

constexpr size_t kSeries = 1000;
constexpr int64_t kIntervalMs = 15'000;

struct Data {
  std::vector<int64_t> times_ms;
  std::vector<std::vector<double>> gauges;
  std::vector<std::vector<double>> counters;
};

Data generate(size_t samples) {
  SeededRandom random(1);
  Data data;
  for (size_t i = 0; i < samples; ++i)
    data.times_ms.push_back(static_cast<int64_t>(i) * kIntervalMs + 7'000);
  for (size_t s = 0; s < kSeries; ++s) {
    std::vector<double>& gauge = data.gauges.emplace_back();
    std::vector<double>& counter = data.counters.emplace_back();
    double count = 1000;
    for (size_t i = 0; i < samples; ++i) {
      gauge.push_back(random.unit() * 100);
      count = random.below(500) == 0 ? 0 : count + static_cast<double>(random.below(100));
      counter.push_back(count);
    }
  }
  return data;
}

void range_function(benchmark::State& state, const char* name, bool counter,
                    std::vector<double> scalars) {
  const auto window = static_cast<int64_t>(state.range(0));
  const size_t samples = 100;
  const Data data = generate(samples + static_cast<size_t>(window));
  FunctionSignature signature;
  signature.name = name;
  Call call;
  call.function = &signature;
  for (size_t i = 0; i <= scalars.size(); ++i)
    call.args.push_back(std::make_unique<NumberLiteral>());
  Annotations annotations("");
  const Steps steps{window * kIntervalMs, (window + 99) * kIntervalMs, kIntervalMs};
  std::vector<std::vector<double>> columns;
  for (const double scalar : scalars)
    columns.emplace_back(std::vector<double>(steps.count(), scalar));
  auto function = make_range_function(
      {call, {columns.begin(), columns.end()}, 300'000, false, false, annotations});
  CHECK(function);
  Windows windows{steps, window * kIntervalMs, 0, {}, {}};
  windows.find(data.times_ms);
  const model::Labels labels = {{"__name__", "requests_total"}, {"instance", "a"}};
  std::vector<double> out(steps.count());
  for (auto _ : state) {
    for (const std::vector<double>& values : counter ? data.counters : data.gauges) {
      (*function)->apply(labels, {data.times_ms, values}, windows, out);
      benchmark::DoNotOptimize(out.data());
      benchmark::ClobberMemory();
    }
  }
  state.counters["step"] = benchmark::Counter(
      static_cast<double>(kSeries * steps.count()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void find_windows(benchmark::State& state) {
  const Data data = generate(1000);
  const Steps steps{300'000, 300'000 + 99 * kIntervalMs, kIntervalMs};
  Windows windows{steps, 300'000, 0, {}, {}};
  for (auto _ : state) {
    windows.find(data.times_ms);
    benchmark::DoNotOptimize(windows.last.data());
  }
  state.counters["step"] = benchmark::Counter(
      static_cast<double>(steps.count()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

#define RANGE_BENCH(name, counter, ...)                                                     \
  BENCHMARK_CAPTURE(range_function, name, #name, counter, std::vector<double>{__VA_ARGS__}) \
      ->Arg(20)                                                                             \
      ->Arg(240)                                                                            \
      ->Unit(benchmark::kMicrosecond)

RANGE_BENCH(rate, true);
RANGE_BENCH(quantile_over_time, false, 0.9);
RANGE_BENCH(max_over_time, false);
RANGE_BENCH(avg_over_time, false);
RANGE_BENCH(stddev_over_time, false);
RANGE_BENCH(deriv, false);
RANGE_BENCH(mad_over_time, false);
RANGE_BENCH(changes, false);
RANGE_BENCH(irate, true);
BENCHMARK(find_windows);

}  // namespace
}  // namespace binnacle::bench

BENCHMARK_MAIN();
