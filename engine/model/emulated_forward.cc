// A row's state is a 64-bit hash that runs over the positions, layer by layer: h(l, p) = mix(h(l,
// p - 1), h(l - 1, p)), with h(l, p - 1) kept in place of keys and values. So a token depends on
// every earlier one having gone through every layer, in whatever ranges, and a wrong replay gives a
// wrong token. Between ranges it travels as bytes, one in each number, which bf16 holds exactly.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <semaphore>
#include <unordered_map>

#include "base/check.h"
#include "base/clock.h"
#include "engine/model/check_step.h"
#include "engine/model/kv_pages.h"
#include "engine/model/layer_stack.h"

namespace binnacle::engine {
namespace {

constexpr int kStateBytes = 8;

// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

uint64_t mix(uint64_t a, uint64_t b) { return mix(mix(a + 0x9e3779b97f4a7c15) ^ b); }

void wait_for_ns(int64_t ns) {
  std::binary_semaphore nobody_releases(0);
  (void)nobody_releases.try_acquire_for(std::chrono::nanoseconds(ns));
}

class EmulatedForward final : public Forward {
 public:
  explicit EmulatedForward(EmulatedOptions options)
      : options_(std::move(options)), pages_(options_.kv_positions, options_.config.max_positions) {
    CHECK(options_.layers.begin >= 0 && options_.layers.size() > 0 &&
          options_.layers.end <= options_.config.layers && options_.config.hidden >= kStateBytes &&
          options_.config.vocabulary > 0);
    if (!options_.wait_ns) options_.wait_ns = wait_for_ns;
  }

  Result<StepResult> run(const Step& step) override {
    const int64_t start_ns = clock_.monotonic_ns();
    TRY(check_step(step, options_.config, options_.layers));
    TRY(pages_.prepare(step.slices));
    StepResult result;
    size_t row = 0;
    for (const Slice& slice : step.slices) {
      const uint64_t state = run_slice(slice, step, row, result);
      row += static_cast<size_t>(slice.rows);
      if (slice.sampling) result.choices.push_back(choose(slice, state));
    }
    rows_seen_ += static_cast<int64_t>(row);
    const double seconds =
        options_.seconds_per_row_layer * static_cast<double>(row) * options_.layers.size();
    const int64_t left_ns =
        static_cast<int64_t>(seconds * 1e9) - (clock_.monotonic_ns() - start_ns);
    if (left_ns > 0) options_.wait_ns(left_ns);
    return result;
  }

  void release(SequenceId sequence) override {
    pages_.release(sequence);
    states_.erase(sequence);
  }

  LayerRange layers() const override { return options_.layers; }
  const ModelConfig& config() const override { return options_.config; }
  KvUsage kv_usage() const override { return pages_.usage(); }
  std::string kernel() const override { return "emulated-v1"; }

  ForwardStats stats() const override {
    ForwardStats stats;
    stats.layer_seconds.assign(static_cast<size_t>(options_.layers.size()),
                               options_.seconds_per_row_layer * static_cast<double>(rows_seen_));
    return stats;
  }

 private:
  // Returns the last row's state. Writes the rows' numbers where another range follows.
  uint64_t run_slice(const Slice& slice, const Step& step, size_t row, StepResult& result) {
    const auto layers = static_cast<size_t>(options_.layers.size());
    const auto hidden = static_cast<size_t>(options_.config.hidden);
    std::vector<uint64_t>& held = states_[slice.sequence];
    held.resize(static_cast<size_t>(slice.first_position) * layers);
    uint64_t state = 0;
    for (size_t end = row + static_cast<size_t>(slice.rows); row < end; ++row) {
      state = options_.layers.begin == 0 ? mix(static_cast<uint64_t>(step.tokens[row]))
                                         : unpack(step.hidden.data() + row * hidden);
      for (size_t layer = 0; layer < layers; ++layer) {
        const uint64_t before = held.size() < layers ? 0 : held[held.size() - layers];
        state = mix(before, state);
        held.push_back(state);
      }
      if (options_.layers.end == options_.config.layers) continue;
      for (size_t i = 0; i < hidden; ++i) {
        result.hidden.push_back(static_cast<float>((state >> (8 * (i % kStateBytes))) & 0xff));
      }
    }
    return state;
  }

  static uint64_t unpack(const float* numbers) {
    uint64_t state = 0;
    for (int i = 0; i < kStateBytes; ++i) {
      // What is no byte is a broken hop; it gives another state, so the tokens tell.
      const float number = std::isfinite(numbers[i]) ? std::clamp(numbers[i], 0.0F, 255.0F) : 0;
      state |= static_cast<uint64_t>(number) << (8 * i);
    }
    return state;
  }

  // Never an end token, so that a stream is as long as was asked for; never a forbidden one, unless
  // nothing else is left.
  TokenChoice choose(const Slice& slice, uint64_t state) const {
    const Sampling& sampling = *slice.sampling;
    if (sampling.temperature > 0) state = mix(state, sampling.seed);
    const auto vocabulary = static_cast<uint64_t>(options_.config.vocabulary);
    TokenChoice choice;
    for (uint64_t tried = 0; tried < vocabulary; ++tried) {
      choice.token = static_cast<int32_t>((state + tried) % vocabulary);
      const auto is_in = [&](const std::vector<int32_t>& list) {
        return std::find(list.begin(), list.end(), choice.token) != list.end();
      };
      if (!is_in(options_.config.end_tokens) && !is_in(sampling.forbidden)) break;
    }
    choice.logprob = -std::log(static_cast<float>(vocabulary));
    if (sampling.top_logprobs > 0) choice.top.emplace_back(choice.token, choice.logprob);
    return choice;
  }

  EmulatedOptions options_;
  SystemClock clock_;
  KvPages pages_;
  int64_t rows_seen_ = 0;
  std::unordered_map<SequenceId, std::vector<uint64_t>> states_;  // [position][layer of the range]
};

}  // namespace

std::unique_ptr<Forward> emulated_forward(EmulatedOptions options) {
  return std::make_unique<EmulatedForward>(std::move(options));
}

}  // namespace binnacle::engine
