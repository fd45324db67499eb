// Remote write up to the store's door: decompress, decode, look up, append to a store that does
// nothing. Bodies of 2,000 series, one sample each (bench/cluster_data.h), every series known, over
// so many series that the cache of references does not fit the processor's.
#include <benchmark/benchmark.h>
#include <snappy.h>

#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "cluster_data.h"
#include "collect/receive/snappy_block.h"
#include "collect/receive/write_batch.h"

namespace binnacle::bench {
namespace {

using collect::receive::SeriesCache;
using collect::receive::SeriesKey;
using collect::receive::SnappyBuffer;
using collect::receive::WriteBatch;
using collect::receive::WriteRequest;

constexpr size_t kGpus = 1000;
constexpr size_t kSeriesPerRequest = 2000;
constexpr size_t kMaxBytes = size_t{32} << 20;

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
    Result<model::CommitReport> commit() override { return model::CommitReport{count, {}}; }
    void rollback() override { count = 0; }
    size_t count = 0;
  };
};

const std::vector<std::string>& bodies() {
  static const std::vector<std::string> all = [] {
    ClusterData data(kGpus, 1);
    std::vector<std::string> out;
    std::string raw, series, inner;
    for (size_t i = 0; i < data.series_count(); ++i) {
      series.clear();
      for (const auto& [name, value] : data.series(i).labels) {
        inner.clear();
        protozero::pbf_writer label(inner);
        label.add_string(1, name);
        label.add_string(2, value);
        protozero::pbf_writer(series).add_message(1, inner);
      }
      inner.clear();
      protozero::pbf_writer sample(inner);
      sample.add_double(1, data.value(i));
      sample.add_int64(2, 1'700'000'000'000);
      protozero::pbf_writer(series).add_message(2, inner);
      protozero::pbf_writer(raw).add_message(1, series);
      if ((i + 1) % kSeriesPerRequest != 0) continue;
      snappy::Compress(raw.data(), raw.size(), &out.emplace_back());
      raw.clear();
    }
    return out;
  }();
  return all;
}

void count_samples(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSeriesPerRequest));
}

void decompress(benchmark::State& state) {
  SnappyBuffer buffer;
  size_t at = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(buffer.decompress(bodies()[at++ % bodies().size()], kMaxBytes));
  count_samples(state);
}
BENCHMARK(decompress);

void decompress_and_decode(benchmark::State& state) {
  SnappyBuffer buffer;
  WriteRequest request;
  size_t at = 0;
  for (auto _ : state) {
    const auto body = buffer.decompress(bodies()[at++ % bodies().size()], kMaxBytes);
    CHECK(request.decode_by_guess(*body));
  }
  count_samples(state);
}
BENCHMARK(decompress_and_decode);

void to_the_store(benchmark::State& state, bool known) {
  SystemRandom random;
  SeriesCache cache(known ? 10'000'000 : 0, random);
  WriteBatch batch(cache);
  SnappyBuffer buffer;
  WriteRequest request;
  EmptyStore store;
  const auto take = [&](const std::string& coded) {
    const auto body = buffer.decompress(coded, kMaxBytes);
    CHECK(request.decode_by_guess(*body));
    const auto outcome = batch.store(request, {}, store);
    CHECK(outcome && outcome->stored == kSeriesPerRequest);
  };
  for (const std::string& coded : bodies()) take(coded);
  size_t at = 0;
  for (auto _ : state) take(bodies()[at++ % bodies().size()]);
  count_samples(state);
  if (known) {
    state.counters["bytes/series"] =
        static_cast<double>(cache.memory_bytes()) / static_cast<double>(cache.size());
  }
}
BENCHMARK_CAPTURE(to_the_store, known_series, true);
BENCHMARK_CAPTURE(to_the_store, new_series, false);

}  // namespace
}  // namespace binnacle::bench

BENCHMARK_MAIN();
