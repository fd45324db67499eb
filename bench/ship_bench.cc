// What shipping costs a sample: into the queue on disk, out of it, and into a compressed body of
// remote write. 10,000 series with the labels of a scrape, one sample of each in turn.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "collect/ship/sample_queue.h"
#include "collect/ship/send_round.h"

namespace binnacle::collect::ship {
namespace {

constexpr size_t kSeries = 10'000;

const LabelsOfRef kLabels = [](model::SeriesRef ref, std::string& packed) {
  packed += model::Labels{{"__name__", "llm_generation_tokens_total"},
                          {"engine", "vllm"},
                          {"instance", "10.0.0." + std::to_string(ref % 100) + ":8000"},
                          {"job", "engines"},
                          {"model", "model-" + std::to_string(ref / 100)}}
                .packed();
  return true;
};

std::vector<model::KnownSample> samples_at(int64_t ms) {
  std::vector<model::KnownSample> samples;
  for (size_t i = 1; i <= kSeries; ++i) samples.push_back({i, {ms, double(ms % 1000) * double(i)}});
  return samples;
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "ship_bench") {
    std::filesystem::remove_all(path_);
    QueueOptions options;
    options.name = "bench";
    options.max_bytes = uint64_t{256} << 20;
    auto queue = SampleQueue::open(path_, options, real_file_system(), registry_);
    CHECK(queue);
    queue_ = std::move(*queue);
  }
  ~Folder() {
    queue_ = nullptr;
    std::filesystem::remove_all(path_);
  }
  SampleQueue& queue() { return *queue_; }

 private:
  const std::filesystem::path path_;
  Registry registry_;
  std::unique_ptr<SampleQueue> queue_;
};

void per_sample(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSeries));
  // Shown in units of a second: "32 ns".
  state.counters["per_sample"] =
      benchmark::Counter(double(state.iterations()) * double(kSeries),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void append(benchmark::State& state) {
  Folder folder;
  int64_t ms = 1'700'000'000'000;
  auto samples = samples_at(ms);
  QueueChunk chunk;
  for (auto _ : state) {
    for (auto& sample : samples) sample.sample.timestamp_ms += 1000;
    CHECK(folder.queue().append(samples, kLabels));
  }
  per_sample(state);
}
BENCHMARK(append);

void append_and_read(benchmark::State& state) {
  Folder folder;
  auto samples = samples_at(1'700'000'000'000);
  QueueChunk chunk;
  for (auto _ : state) {
    for (auto& sample : samples) sample.sample.timestamp_ms += 1000;
    CHECK(folder.queue().append(samples, kLabels));
    CHECK(folder.queue().read(kSeries, chunk).value_or(false));
    folder.queue().acknowledge(chunk);
  }
  per_sample(state);
}
BENCHMARK(append_and_read);

// A chunk of state.range(0) samples of each series, to compressed bodies of 2,000 samples.
void encode(benchmark::State& state) {
  const int64_t each = state.range(0);
  QueueChunk chunk;
  chunk.new_segment = true;
  for (size_t i = 0; i < kSeries; ++i) kLabels(i + 1, chunk.new_series.emplace_back());
  const size_t series = kSeries / static_cast<size_t>(each);
  for (int64_t k = 0; k < each; ++k) {
    for (uint32_t i = 0; i < series; ++i)
      chunk.samples.push_back({i, {1'700'000'000'000 + k * 1000, double(k) * double(i)}});
  }
  const ShipperOptions options;
  RoundMaker maker(options);
  (void)maker.make(chunk, 0);
  chunk.new_segment = false;
  chunk.new_series.clear();
  size_t bytes = 0;
  for (auto _ : state) {
    const SendRound round = maker.make(chunk, 0);
    bytes = 0;
    for (const auto& shard : round.shards) {
      for (const ShipRequest& request : shard) bytes += request.body.size();
    }
  }
  state.counters["bytes_per_sample"] = double(bytes) / double(chunk.samples.size());
  per_sample(state);
}
BENCHMARK(encode)->Arg(1)->Arg(10);

}  // namespace
}  // namespace binnacle::collect::ship

BENCHMARK_MAIN();
