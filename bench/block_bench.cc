// Writes, opens, reads and merges blocks of the store's benchmark data and prints what that cost.
// Usage: block_bench FOLDER [GPUS [SAMPLES]], then: block_bench FOLDER merge
#include "cluster_data.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "store/metrics/block.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/block_writer.h"
#include "store/metrics/compactor.h"

namespace {

using namespace binnacle;
using namespace binnacle::store::metrics;

constexpr int64_t kStartMs = 1'700'000'000'000;
constexpr int64_t kStepMs = 15'000;

class Watch {
 public:
  double seconds() const { return static_cast<double>(clock_.monotonic_ns() - start_) / 1e9; }

 private:
  SystemClock clock_;
  int64_t start_ = clock_.monotonic_ns();
};

struct Series {
  model::Labels labels;
  std::vector<double> values;
};

std::vector<Series> make_data(size_t gpus, int samples) {
  bench::ClusterData cluster(gpus, 1);
  std::vector<Series> data(cluster.series_count());
  for (size_t i = 0; i < data.size(); ++i) {
    model::LabelsBuilder labels;
    for (const auto& [name, value] : cluster.series(i).labels) labels.set(name, value);
    data[i].labels = labels.build();
  }
  for (int sample = 0; sample < samples; ++sample) {
    for (size_t i = 0; i < data.size(); ++i) data[i].values.push_back(cluster.value(i));
    cluster.step();
  }
  std::ranges::sort(data, [](const Series& a, const Series& b) {
    return model::compare(a.labels, b.labels) < 0;
  });
  return data;
}

template <typename T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

size_t file_size(const std::string& path) {
  return must(must(real_file_system().open_readable(path))->size());
}

BlockMeta meta_of(int64_t start_ms, int samples) {
  static SystemRandom random;
  BlockMeta meta;
  meta.ulid = make_ulid(start_ms, random);
  meta.min_ms = start_ms;
  meta.max_ms = start_ms + samples * kStepMs + 1;
  return meta;
}

std::string write(const std::string& folder, const std::vector<Series>& data, int samples,
                  bool zstd, int64_t start_ms = kStartMs) {
  std::vector<int64_t> times;
  for (int i = 0; i < samples; ++i) times.push_back(start_ms + i * kStepMs);
  const Watch watch;
  const auto writer = must(
      BlockWriter::create(real_file_system(), folder, meta_of(start_ms, samples), {.zstd = zstd}));
  for (const Series& series : data) {
    if (auto added = writer->add(series.labels, times, series.values); !added) std::abort();
  }
  const BlockMeta meta = must(writer->finish());
  const double seconds = watch.seconds();
  const std::string block = folder + "/" + meta.ulid;
  const auto index = static_cast<double>(file_size(block + "/index"));
  const auto columns = static_cast<double>(file_size(block + "/columns"));
  const auto count = static_cast<double>(meta.samples);
  fmt::print(
      "write zstd={}: {:.2f} s, {:.2f} M samples/s, index {:.2f} B/series, columns {:.4f} "
      "B/sample, all {:.4f} B/sample\n",
      zstd, seconds, count / seconds / 1e6, index / static_cast<double>(meta.series),
      columns / count, (index + columns) / count);
  return block;
}

void read(const std::string& folder) {
  const Watch opening;
  const auto block = must(Block::open(real_file_system(), folder));
  fmt::print("open: {:.2f} ms\n", opening.seconds() * 1e3);
  const Watch all;
  std::vector<int64_t> times;
  std::vector<double> values;
  model::Labels labels;
  size_t samples = 0;
  for (uint32_t series = 0; series < block->series_count(); ++series) {
    CHECK(block->labels(series, labels) && block->read(series, 0, INT64_MAX, times, values));
    samples += times.size();
  }
  fmt::print("read all, with labels: {:.1f} M samples/s\n",
             static_cast<double>(samples) / all.seconds() / 1e6);
  const auto matcher = [](model::MatchOp op, const char* name, const char* value) {
    return must(model::Matcher::create(op, name, value));
  };
  const model::Matchers one_name = {
      matcher(model::MatchOp::kEqual, "__name__", "DCGM_FI_DEV_GPU_UTIL")};
  const model::Matchers node = {matcher(model::MatchOp::kEqual, "node", "gpu-node-0007")};
  const model::Matchers regex = {matcher(model::MatchOp::kRegex, "__name__", "vllm:.*_bucket"),
                                 matcher(model::MatchOp::kNotRegex, "node", "gpu-node-00.*")};
  for (const auto& [what, matchers] :
       {std::pair("name", &one_name), {"node", &node}, {"regexes", &regex}}) {
    const Watch selecting;
    const auto found = must(block->select(*matchers));
    const double selected = selecting.seconds();
    for (const uint32_t series : found) CHECK(block->labels(series, labels));
    fmt::print("select by {}: {} series in {:.3f} ms, their labels in {:.2f} ms\n", what,
               found.size(), selected * 1e3, (selecting.seconds() - selected) * 1e3);
  }
}

// The largest resident set so far, in MiB.
size_t peak_mib() {
  const std::string status = must(real_file_system().read_file("/proc/self/status"));
  return std::strtoul(status.c_str() + status.find("VmHWM:") + 6, nullptr, 10) / 1024;
}

// Merges all blocks of the folder; run alone, so that the peak is the merge's own.
void merge(const std::string& folder) {
  std::vector<std::shared_ptr<const Block>> blocks;
  uint64_t samples = 0;
  for (const std::string& ulid : must(list_blocks(real_file_system(), folder))) {
    blocks.push_back(must(Block::open(real_file_system(), folder + "/" + ulid)));
    samples += blocks.back()->meta().samples;
  }
  SystemRandom random;
  const Watch watch;
  const BlockMeta meta =
      must(merge_blocks(real_file_system(), folder, blocks, make_ulid(kStartMs + 1, random), {}));
  const double seconds = watch.seconds();
  fmt::print("merge of {} blocks: {:.1f} M samples/s, {} samples from {}, peak {} MiB\n",
             blocks.size(), static_cast<double>(samples) / seconds / 1e6, meta.samples, samples,
             peak_mib());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FOLDER [GPUS [SAMPLES] | merge]\n", argv[0]);
    return 2;
  }
  if (argc == 3 && std::string_view(argv[2]) == "merge") {
    merge(argv[1]);
    return 0;
  }
  const size_t gpus = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000;
  const int samples = argc > 3 ? std::atoi(argv[3]) : 100;
  const auto data = make_data(gpus, samples);
  const std::string block = write(argv[1], data, samples, false);
  read(block);
  for (int i = 1; i < 3; ++i)
    write(argv[1], data, samples, i == 2, kStartMs + i * samples * kStepMs);
  return 0;
}
