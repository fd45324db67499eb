// Generated series for the tests of blocks: shared scrape times, gauges, counters, constants,
// classic histograms, and labels that not every series has. One seed, one set.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/file_system.h"
#include "base/random.h"
#include "model/labels.h"
#include "store/metrics/block.h"
#include "store/metrics/block_writer.h"

namespace binnacle::store::metrics::testing {

struct TestSeries {
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

struct LabelOrder {
  bool operator()(const model::Labels& a, const model::Labels& b) const {
    return model::compare(a, b) < 0;
  }
};
using TestData = std::map<model::Labels, TestSeries, LabelOrder>;

struct TestShape {
  int nodes = 4;
  int samples = 50;
  int64_t start_ms = 1'700'000'000'000;
  int64_t step_ms = 15'000;
  uint64_t seed = 1;
};

inline const std::vector<std::string>& bucket_bounds() {
  static const std::vector<std::string> bounds = {"0.001", "0.01", "0.025", "0.1", "0.5", "1",
                                                  "2.5",   "5",    "10",    "20",  "80",  "+Inf"};
  return bounds;
}

class TestDataMaker {
 public:
  explicit TestDataMaker(const TestShape& shape) : shape_(shape), random_(shape.seed) {}

  TestData make() {
    for (int node = 0; node < shape_.nodes; ++node) add_node(node);
    return std::move(data_);
  }

 private:
  void add_node(int node) {
    base_ = model::LabelsBuilder();
    base_.set("cluster", "prod").set("node", fmt::format("gpu-node-{:04}", node));
    base_.set("instance", fmt::format("10.{}.{}.7:9400", random_.below(250), random_.below(250)));
    base_.set("pod", fmt::format("vllm-{}-{:05x}", node % 3, random_.below(1 << 20)));
    times_.clear();
    const auto offset = static_cast<int64_t>(random_.below(15'000));
    for (int i = 0; i < shape_.samples; ++i)
      times_.push_back(shape_.start_ms + offset + i * shape_.step_ms);
    for (int gpu = 0; gpu < 2; ++gpu) add_gpu(gpu);
    add_histogram();
  }

  void add_gpu(int gpu) {
    double walk = 450, counter = 1000;
    std::vector<double> gauge, total, constant, odd;
    for (int i = 0; i < shape_.samples; ++i) {
      walk += std::round((random_.unit() - 0.5) * 2400) / 100;
      counter += static_cast<double>(random_.below(50'000));
      gauge.push_back(std::round(walk * 100) / 100);
      total.push_back(counter);
      constant.push_back(81559);
      odd.push_back(random_.below(5) == 0 ? std::bit_cast<double>(0x7ff0000000000002u)
                                          : random_.unit());
    }
    base_.set("gpu", std::to_string(gpu));
    put("power", gauge);
    put("bytes_total", total);
    put("fb_total", constant);
    if (gpu == 0) put("odd", odd);
    base_.remove("gpu");
  }

  void add_histogram() {
    std::vector<std::vector<double>> buckets(bucket_bounds().size());
    std::vector<uint64_t> totals(buckets.size());
    for (int i = 0; i < shape_.samples; ++i) {
      for (int k = 0; k < 40; ++k) {
        const size_t first = random_.below(buckets.size());
        for (size_t b = first; b < buckets.size(); ++b) ++totals[b];
      }
      for (size_t b = 0; b < buckets.size(); ++b)
        buckets[b].push_back(static_cast<double>(totals[b]));
    }
    for (size_t b = 0; b < buckets.size(); ++b) {
      base_.set("le", bucket_bounds()[b]);
      put("latency_bucket", buckets[b]);
    }
    base_.remove("le");
    put("latency_count", buckets.back());
  }

  void put(std::string_view name, std::vector<double> values) {
    base_.set("__name__", name);
    data_[base_.build()] = {times_, std::move(values)};
  }

  const TestShape shape_;
  SeededRandom random_;
  model::LabelsBuilder base_;
  std::vector<int64_t> times_;
  TestData data_;
};

inline TestData make_test_data(const TestShape& shape) { return TestDataMaker(shape).make(); }

inline Result<BlockMeta> write_block(FileSystem& files, const std::string& blocks,
                                     const TestData& data, BlockMeta meta,
                                     BlockWriteOptions options = {}) {
  TRY_ASSIGN(const auto writer, BlockWriter::create(files, blocks, std::move(meta), options));
  for (const auto& [labels, series] : data)
    TRY(writer->add(labels, series.times_ms, series.values));
  return writer->finish();
}

inline BlockMeta test_meta(uint64_t seed = 7) {
  SeededRandom random(seed);
  BlockMeta meta;
  meta.ulid = make_ulid(1'700'000'000'000 + static_cast<int64_t>(seed), random);
  meta.min_ms = 1'690'000'000'000;
  meta.max_ms = 1'710'000'000'000;
  meta.cluster = "prod";
  meta.external_labels = {{"region", "eu"}};
  return meta;
}

inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(a, b, [](double x, double y) {
    return std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y);
  });
}

// What differs between a block and what it should hold; empty when nothing does.
inline std::string difference(const Block& block, const TestData& wanted) {
  if (block.series_count() != wanted.size())
    return fmt::format("{} series instead of {}", block.series_count(), wanted.size());
  uint32_t number = 0;
  model::Labels labels;
  std::vector<int64_t> times;
  std::vector<double> values;
  for (const auto& [wanted_labels, series] : wanted) {
    if (auto done = block.labels(number, labels); !done) return done.error().message;
    if (labels != wanted_labels) return labels.to_string() + " != " + wanted_labels.to_string();
    if (auto done = block.read(number, INT64_MIN, INT64_MAX, times, values); !done)
      return done.error().message;
    if (times != series.times_ms) return labels.to_string() + ": other times";
    if (!same_bits(values, series.values)) return labels.to_string() + ": other values";
    ++number;
  }
  return {};
}

}  // namespace binnacle::store::metrics::testing
