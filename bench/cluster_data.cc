#include "cluster_data.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <numbers>
#include <string_view>

namespace binnacle::bench {
namespace {

constexpr size_t kGpusPerNode = 8;
constexpr size_t kNodesPerModel = 4;

struct Gauge {
  const char* name;
  double start, low, high, sigma;
  int decimals;
};

constexpr Gauge kGauges[] = {
    {"DCGM_FI_DEV_POWER_USAGE", 450, 90, 700, 12, 2},
    {"DCGM_FI_DEV_FB_USED", 61000, 1000, 80000, 40, 0},
    {"DCGM_FI_DEV_GPU_UTIL", 83, 0, 100, 5, 0},
    {"DCGM_FI_DEV_MEM_COPY_UTIL", 44, 0, 100, 4, 0},
    {"DCGM_FI_DEV_GPU_TEMP", 61, 30, 88, 0.7, 0},
    {"DCGM_FI_DEV_MEMORY_TEMP", 66, 30, 95, 0.7, 0},
    {"DCGM_FI_DEV_SM_CLOCK", 1755, 1200, 1980, 15, 0},
    {"DCGM_FI_PROF_SM_ACTIVE", 0.71, 0, 1, 0.03, 3},
    {"DCGM_FI_PROF_SM_OCCUPANCY", 0.33, 0, 1, 0.02, 3},
    {"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 0.41, 0, 1, 0.03, 3},
    {"DCGM_FI_PROF_DRAM_ACTIVE", 0.52, 0, 1, 0.03, 3},
    {"vllm:gpu_cache_usage_perc", 0.6, 0, 1, 0.02, 3},
    {"vllm:num_requests_running", 40, 0, 256, 3, 0},
    {"vllm:num_requests_waiting", 4, 0, 500, 2, 0},
};

struct Constant {
  const char* name;
  double value;
};

constexpr Constant kConstants[] = {
    {"DCGM_FI_DEV_FB_TOTAL", 81559},        {"DCGM_FI_DEV_XID_ERRORS", 0},
    {"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", 0},   {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 0},
    {"DCGM_FI_DEV_ROW_REMAP_FAILURE", 0},   {"DCGM_FI_DEV_MEM_CLOCK", 2619},
    {"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", 0}, {"vllm:num_gpu_blocks", 27311},
};

struct Counter {
  const char* name = nullptr;
  double rate = 0;
  int decimals = 0;
  const char* finished_reason = nullptr;
};

constexpr Counter kCounters[] = {
    {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 6.75e6},
    {"DCGM_FI_PROF_NVLINK_TX_BYTES", 9.1e11},
    {"DCGM_FI_PROF_NVLINK_RX_BYTES", 9.0e11},
    {"DCGM_FI_PROF_PCIE_TX_BYTES", 3.1e10},
    {"DCGM_FI_PROF_PCIE_RX_BYTES", 2.7e10},
    {"vllm:prompt_tokens_total", 41000},
    {"vllm:generation_tokens_total", 18500},
    {"vllm:request_success_total", 31, 0, "stop"},
    {"vllm:request_success_total", 6, 0, "length"},
    {"vllm:request_success_total", 0.4, 0, "abort"},
    {"vllm:prefix_cache_queries_total", 41000},
    {"vllm:prefix_cache_hits_total", 22000},
    {"vllm:num_preemptions_total", 0.3},
    {"process_cpu_seconds_total", 16.2, 2},
};

struct Bound {
  double value;
  const char* text;
};

constexpr Bound kFirstTokenBounds[] = {
    {0.001, "0.001"}, {0.005, "0.005"}, {0.01, "0.01"}, {0.02, "0.02"}, {0.04, "0.04"},
    {0.06, "0.06"},   {0.08, "0.08"},   {0.1, "0.1"},   {0.25, "0.25"}, {0.5, "0.5"},
    {0.75, "0.75"},   {1, "1.0"},       {2.5, "2.5"},   {5, "5.0"},     {7.5, "7.5"},
    {10, "10.0"},     {20, "20.0"},     {40, "40.0"},   {80, "80.0"}};
constexpr Bound kOutputTokenBounds[] = {
    {0.01, "0.01"}, {0.025, "0.025"}, {0.05, "0.05"}, {0.075, "0.075"}, {0.1, "0.1"},
    {0.15, "0.15"}, {0.2, "0.2"},     {0.3, "0.3"},   {0.4, "0.4"},     {0.5, "0.5"},
    {0.75, "0.75"}, {1, "1.0"},       {2.5, "2.5"},   {5, "5.0"},       {7.5, "7.5"},
    {10, "10.0"},   {20, "20.0"}};
constexpr Bound kRequestBounds[] = {{0.3, "0.3"},   {0.5, "0.5"},   {0.8, "0.8"},  {1, "1.0"},
                                    {1.5, "1.5"},   {2, "2.0"},     {2.5, "2.5"},  {5, "5.0"},
                                    {10, "10.0"},   {15, "15.0"},   {20, "20.0"},  {30, "30.0"},
                                    {40, "40.0"},   {50, "50.0"},   {60, "60.0"},  {120, "120.0"},
                                    {240, "240.0"}, {480, "480.0"}, {960, "960.0"}};

struct Histogram {
  const char* name;
  double median;
  const Bound* bounds;
  size_t size;
};

constexpr Histogram kHistograms[] = {
    {"vllm:time_to_first_token_seconds", 0.35, kFirstTokenBounds, std::size(kFirstTokenBounds)},
    {"vllm:time_per_output_token_seconds", 0.04, kOutputTokenBounds, std::size(kOutputTokenBounds)},
    {"vllm:e2e_request_latency_seconds", 8, kRequestBounds, std::size(kRequestBounds)},
};
constexpr double kHistogramSigma = 0.9;

constexpr size_t kFirstConstant = std::size(kGauges);
constexpr size_t kFirstCounter = kFirstConstant + std::size(kConstants);
constexpr size_t kFirstHistogram = kFirstCounter + std::size(kCounters);
static_assert(kFirstHistogram + std::size(kFirstTokenBounds) + std::size(kOutputTokenBounds) +
                  std::size(kRequestBounds) + 3 * std::size(kHistograms) ==
              ClusterData::kSeriesPerGpu);

constexpr const char* kModels[] = {"llama-3.1-70b", "llama-3.1-8b", "qwen2.5-72b",
                                   "mixtral-8x7b",  "deepseek-v3",  "mistral-large"};

double rounded(double v, int decimals) {
  constexpr double kScales[] = {1, 10, 100, 1000};
  return std::round(v * kScales[decimals]) / kScales[decimals];
}

std::string letters(DataRandom& random) {
  std::string text;
  for (int i = 0; i < 5; ++i) text += static_cast<char>('a' + random.next() % 26);
  return text;
}

// What tells one series of a GPU from the others.
struct Own {
  std::string name;
  SeriesKind kind = kGauge;
  std::pair<std::string, std::string> label = {};  // empty: none
};

const std::vector<Own>& series_of_a_gpu() {
  static const std::vector<Own> all = [] {
    std::vector<Own> list;
    for (const Gauge& gauge : kGauges) list.push_back({gauge.name, kGauge});
    for (const Constant& constant : kConstants) list.push_back({constant.name, kConstant});
    for (const Counter& counter : kCounters) {
      list.push_back({counter.name, kCounter});
      if (counter.finished_reason != nullptr)
        list.back().label = {"finished_reason", counter.finished_reason};
    }
    for (const Histogram& histogram : kHistograms) {
      const std::string name = histogram.name;
      for (size_t i = 0; i < histogram.size; ++i)
        list.push_back({name + "_bucket", kBucket, {"le", histogram.bounds[i].text}});
      list.push_back({name + "_bucket", kBucket, {"le", "+Inf"}});
      list.push_back({name + "_sum", kSum});
      list.push_back({name + "_count", kCount});
    }
    return list;
  }();
  return all;
}

SeriesSpec spec_of(const Own& own, size_t gpu, const std::string& pod) {
  const size_t node = gpu / kGpusPerNode;
  char node_name[32];
  std::snprintf(node_name, sizeof(node_name), "gpu-node-%04zu", node);
  const bool dcgm = own.name.starts_with("DCGM");
  char instance[48];
  std::snprintf(instance, sizeof(instance), "10.%zu.%zu.%zu:%d", 20 + node / 250, node % 250,
                10 + node * 7 % 240, dcgm ? 9400 : 8000);
  SeriesSpec spec;
  spec.kind = own.kind;
  spec.labels = {{"__name__", own.name},
                 {"cluster", "prod-us-east-1"},
                 {"gpu", std::to_string(gpu % kGpusPerNode)},
                 {"instance", instance},
                 {"job", dcgm ? "dcgm" : "vllm"},
                 {"model_name", kModels[node / kNodesPerModel % std::size(kModels)]},
                 {"namespace", "inference"},
                 {"node", node_name},
                 {"pod", pod}};
  if (!own.label.first.empty()) spec.labels.push_back(own.label);
  std::sort(spec.labels.begin(), spec.labels.end());
  return spec;
}

}  // namespace

uint64_t DataRandom::next() {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double DataRandom::uniform(double low, double high) {
  return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
}

double DataRandom::normal() {
  const double radius = std::sqrt(-2 * std::log(uniform(0x1p-53, 1)));
  return radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
}

ClusterData::ClusterData(size_t gpus, uint64_t seed)
    : gpus_(gpus),
      random_(seed),
      specs_(gpus * kSeriesPerGpu),
      exact_(specs_.size()),
      rates_(specs_.size()),
      values_(specs_.size()) {
  for (size_t node = 0; node * kGpusPerNode < gpus_; ++node) name_node(node);
  for (size_t gpu = 0; gpu < gpus_; ++gpu) start_gpu(gpu);
}

void ClusterData::name_node(size_t node) {
  const std::string pod = std::string("vllm-") +
                          kModels[node / kNodesPerModel % std::size(kModels)] + "-" +
                          letters(random_) + "-" + letters(random_);
  const size_t end = std::min(gpus_, (node + 1) * kGpusPerNode);
  for (size_t gpu = node * kGpusPerNode; gpu < end; ++gpu) {
    for (size_t i = 0; i < kSeriesPerGpu; ++i)
      specs_[gpu * kSeriesPerGpu + i] = spec_of(series_of_a_gpu()[i], gpu, pod);
  }
}

void ClusterData::start_gpu(size_t gpu) {
  const size_t first = gpu * kSeriesPerGpu;
  std::fill_n(&exact_[first], kSeriesPerGpu, 0.0);
  for (size_t i = 0; i < std::size(kGauges); ++i) {
    const Gauge& gauge = kGauges[i];
    exact_[first + i] = std::clamp(gauge.start * random_.uniform(0.8, 1.2), gauge.low, gauge.high);
  }
  for (size_t i = 0; i < std::size(kConstants); ++i)
    exact_[first + kFirstConstant + i] = kConstants[i].value;
  for (size_t i = 0; i < std::size(kCounters); ++i) {
    const size_t at = first + kFirstCounter + i;
    rates_[at] = kCounters[i].rate * random_.uniform(0.5, 1.5);
    exact_[at] = kCounters[i].rate * random_.uniform(0, 20000);
  }
  observe(gpu);
  publish(gpu);
}

void ClusterData::step() {
  for (size_t gpu = 0; gpu < gpus_; ++gpu) step_gpu(gpu);
}

void ClusterData::step_gpu(size_t gpu) {
  const size_t first = gpu * kSeriesPerGpu;
  for (size_t i = 0; i < std::size(kGauges); ++i) {
    const Gauge& gauge = kGauges[i];
    double& v = exact_[first + i];
    v = std::clamp(v + gauge.sigma * random_.normal(), gauge.low, gauge.high);
  }
  for (size_t i = kFirstCounter; i < kFirstHistogram; ++i)
    exact_[first + i] += rates_[first + i] * random_.uniform(0.6, 1.4);
  observe(gpu);
  publish(gpu);
}

// The requests of one step, into the histograms.
void ClusterData::observe(size_t gpu) {
  size_t first = gpu * kSeriesPerGpu + kFirstHistogram;
  for (const Histogram& histogram : kHistograms) {
    const size_t observations = 20 + random_.next() % 41;
    for (size_t n = 0; n < observations; ++n) {
      const double v = histogram.median * std::exp(kHistogramSigma * random_.normal());
      for (size_t i = 0; i < histogram.size; ++i)
        exact_[first + i] += v <= histogram.bounds[i].value ? 1 : 0;
      exact_[first + histogram.size + 1] += v;
    }
    exact_[first + histogram.size] += static_cast<double>(observations);
    exact_[first + histogram.size + 2] += static_cast<double>(observations);
    first += histogram.size + 3;
  }
}

void ClusterData::publish(size_t gpu) {
  const size_t first = gpu * kSeriesPerGpu;
  std::copy_n(&exact_[first], kSeriesPerGpu, &values_[first]);
  for (size_t i = 0; i < std::size(kGauges); ++i)
    values_[first + i] = rounded(exact_[first + i], kGauges[i].decimals);
  for (size_t i = 0; i < std::size(kCounters); ++i) {
    const size_t at = first + kFirstCounter + i;
    values_[at] = rounded(exact_[at], kCounters[i].decimals);
  }
}

void ClusterData::churn(double share) {
  const size_t nodes = (gpus_ + kGpusPerNode - 1) / kGpusPerNode;
  churn_owed_ += share * static_cast<double>(nodes);
  for (; churn_owed_ >= 1; churn_owed_ -= 1) {
    const size_t node = random_.next() % nodes;
    name_node(node);
    const size_t end = std::min(gpus_, (node + 1) * kGpusPerNode);
    for (size_t gpu = node * kGpusPerNode; gpu < end; ++gpu) start_gpu(gpu);
  }
}

}  // namespace binnacle::bench
