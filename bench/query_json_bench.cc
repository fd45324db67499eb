// What it costs to write a query's answer as JSON: 1,000 series of 100 steps, of values that people
// measure (few decimals) and of rates (all digits).
#include <benchmark/benchmark.h>

#include <cmath>

#include "show/query_answer_json.h"

namespace binnacle::bench {
namespace {

using query::promql::OwnedRow;
using query::promql::QueryAnswer;
using query::promql::ValueType;

constexpr size_t kSeries = 1000;
constexpr size_t kSteps = 100;

double gauge(size_t i) { return static_cast<double>(i * 7919 % 100'000) / 100; }
double rate(size_t i) { return std::sqrt(static_cast<double>(i + 2)); }

QueryAnswer matrix(double (*value)(size_t)) {
  QueryAnswer answer;
  answer.type = ValueType::kMatrix;
  answer.steps = {1'700'000'000'000, 1'700'000'000'000 + (kSteps - 1) * 15'000, 15'000};
  for (size_t i = 0; i < kSeries; ++i) {
    OwnedRow row;
    row.labels = model::Labels{{"__name__", "http_requests_total"},
                               {"instance", "host-" + std::to_string(i)},
                               {"job", "gateway"}};
    for (size_t k = 0; k < kSteps; ++k) row.values.push_back(value(i * kSteps + k));
    answer.rows.push_back(std::move(row));
  }
  return answer;
}

void write(benchmark::State& state, double (*value)(size_t)) {
  const QueryAnswer answer = matrix(value);
  size_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    QueryAnswer copy = answer;
    state.ResumeTiming();
    show::QueryAnswerJson json(std::move(copy), 0, false);
    for (std::string piece; json.next(piece);) bytes += piece.size();
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSeries * kSteps));
}

BENCHMARK_CAPTURE(write, gauges, gauge)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(write, rates, rate)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace binnacle::bench

BENCHMARK_MAIN();
