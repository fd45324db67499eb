// Decoding with the engine's kernels against the floor: every weight is read once for each step, so
// a step takes at least their bytes over the memory's bandwidth. Readings of memory and steps take
// turns, so that a machine with other work slows both; ratios are medians of pairs.
// Usage: engine_decode_bench FOLDER bf16|fp32 [THREADS [ROUNDS]]; the model is written into FOLDER.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "engine/model/layer_stack.h"
#include "engine/model/model_folder.h"
#include "engine/model/weight_bandwidth.h"

namespace {

using namespace binnacle;
using namespace binnacle::engine;

// As Llama 3.2 1B: 1.24 thousand million parameters, the embedding is the head too.
ModelConfig shape() {
  ModelConfig config;
  config.name = "bench";
  config.architecture = "LlamaForCausalLM";
  config.layers = 16;
  config.hidden = 2048;
  config.heads = 32;
  config.kv_heads = 8;
  config.head_size = 64;
  config.ffn = 8192;
  config.vocabulary = 128'256;
  config.max_positions = 4096;
  config.rope_theta = 500'000;
  config.tied_embeddings = true;
  return config;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

// Every sequence from `first` on takes `rows` rows more. Seconds; < 0: it failed.
double step(Forward& model, int sequences, int32_t first, int32_t rows) {
  const SystemClock clock;
  Step step;
  Sampling greedy;
  greedy.temperature = 0;
  for (int s = 0; s < sequences; ++s) {
    step.slices.push_back({static_cast<SequenceId>(s), first, rows, greedy});
    for (int32_t r = 0; r < rows; ++r) step.tokens.push_back((s * 31 + first + r) % 128'256);
  }
  const int64_t start_ns = clock.monotonic_ns();
  const auto result = model.run(step);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    return -1;
  }
  return static_cast<double>(clock.monotonic_ns() - start_ns) * 1e-9;
}

bool decode(Forward& model, WeightBandwidth& memory, const char* type, int sequences, int rounds) {
  const auto bytes = static_cast<double>(model.stats().weight_bytes);
  std::vector<double> ratios;
  std::vector<double> steps;
  std::vector<double> readings;
  for (int s = 0; s < sequences; ++s) model.release(static_cast<SequenceId>(s));
  for (int round = -1; round < rounds; ++round) {
    const double before = memory.read_once();
    const double seconds = step(model, sequences, round + 1, 1);
    const double after = memory.read_once();
    if (seconds < 0) return false;
    if (round < 0) continue;  // the first maps the weights
    steps.push_back(seconds);
    readings.push_back((before + after) / 2);
    ratios.push_back(bytes / seconds / readings.back());
  }
  std::printf("decode %s, %2d sequences: %6.2f tokens/s, weights %5.2f of %5.2f GB/s, ratio %.2f\n",
              type, sequences, sequences / median(steps), bytes / median(steps) * 1e-9,
              median(readings) * 1e-9, median(ratios));
  return true;
}

bool prefill(Forward& model, const char* type, int rounds) {
  constexpr int32_t kRows = 128;
  std::vector<double> seconds;
  for (int round = 0; round < rounds; ++round) {
    model.release(0);
    seconds.push_back(step(model, 1, 0, kRows));
    if (seconds.back() < 0) return false;
  }
  const ModelConfig& config = model.config();
  const double flops =
      2.0 * kRows * static_cast<double>(config.parameters_of_layer()) * config.layers;
  std::printf("prefill %s, %d rows: %.1f tokens/s, %.1f GFLOPS\n", type, kRows,
              kRows / median(seconds), flops / median(seconds) * 1e-9);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view type = argc > 2 ? argv[2] : "";
  if (type != "bf16" && type != "fp32") {
    std::fprintf(stderr, "usage: %s FOLDER bf16|fp32 [THREADS [ROUNDS]]\n", argv[0]);
    return 2;
  }
  LayerStackOptions options;
  options.layers = {0, shape().layers};
  options.threads = argc > 3 ? std::atoi(argv[3]) : 2;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 11;
  const auto number = type == "bf16" ? NumberType::kBfloat16 : NumberType::kFloat32;
  const std::string config_file = std::string(argv[1]) + "/config.json";
  if (!real_file_system().exists(config_file)) {
    if (const Status made = write_random_model(argv[1], shape(), number, 1); !made) {
      std::fprintf(stderr, "%s\n", made.error().message.c_str());
      return 1;
    }
  }
  auto model = load_layer_stack(argv[1], options);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message.c_str());
    return 1;
  }
  WeightBandwidth memory(options.threads, int64_t{512} << 20);
  std::printf("%s, %.2f GB of weights, %d threads\n", (*model)->kernel().c_str(),
              static_cast<double>((*model)->stats().weight_bytes) * 1e-9, options.threads);
  const bool fine = decode(**model, memory, argv[2], 1, rounds) &&
                    decode(**model, memory, argv[2], 4, rounds) &&
                    decode(**model, memory, argv[2], 16, rounds) &&
                    prefill(**model, argv[2], std::max(rounds / 4, 1));
  return fine ? 0 : 1;
}
