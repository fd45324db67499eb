#include "engine/model/attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/model/products.h"

namespace binnacle::engine {
namespace {

// Products of one query and one key that are worth another thread.
constexpr int64_t kWorthSharing = 32 * 1024;

void add_bias(std::span<float> row, std::span<const float> bias) {
  for (size_t i = 0; i < bias.size(); ++i) row[i] += bias[i];
}

std::span<float> row_of(std::vector<float>& matrix, int64_t row, int64_t width) {
  return std::span(matrix).subspan(static_cast<size_t>(row * width), static_cast<size_t>(width));
}

}  // namespace

Attention::Attention(const ModelConfig& config, const Kernels& kernels, ThreadTeam& team,
                     KvCache& cache)
    : config_(config),
      kernels_(kernels),
      team_(team),
      cache_(cache),
      query_(int64_t{config.heads} * config.head_size),
      key_(int64_t{config.kv_heads} * config.head_size),
      scratch_(static_cast<size_t>(team.threads())) {
  for (int32_t i = 0; i < config.head_size / 2; ++i) {
    frequencies_.push_back(
        std::pow(static_cast<double>(config.rope_theta), -2.0 * i / config.head_size));
  }
}

void Attention::begin_step(const Rows& rows) {
  cosines_.clear();
  sines_.clear();
  positions_seen_ = 0;
  int64_t longest = 0;
  for (const Row& row : rows) {
    for (const double frequency : frequencies_) {
      cosines_.push_back(static_cast<float>(std::cos(row.position * frequency)));
      sines_.push_back(static_cast<float>(std::sin(row.position * frequency)));
    }
    positions_seen_ += row.position + 1;
    longest = std::max(longest, std::ssize(row.held->pages));
  }
  const auto pages = static_cast<size_t>(longest);
  const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
  for (Scratch& scratch : scratch_) {
    scratch.keys.resize(pages);
    scratch.values.resize(pages);
    scratch.weights.resize(group * pages * KvPages::kPagePositions);
  }
}

void Attention::project(const LayerWeights& weights, int64_t rows, std::span<const float> x) {
  q_.resize(static_cast<size_t>(rows * query_));
  k_.resize(static_cast<size_t>(rows * key_));
  v_.resize(static_cast<size_t>(rows * key_));
  const std::array products = {
      Product{weights.q, x.data(), config_.hidden, rows, q_.data(), query_},
      Product{weights.k, x.data(), config_.hidden, rows, k_.data(), key_},
      Product{weights.v, x.data(), config_.hidden, rows, v_.data(), key_}};
  multiply(team_, kernels_, products);
}

void Attention::place(int32_t layer, const LayerWeights& weights, const Rows& rows) {
  const int64_t half = config_.head_size / 2;
  for_each_row(team_, std::ssize(rows), query_, [&](int64_t r) {
    const std::span<float> q = row_of(q_, r, query_);
    const std::span<float> k = row_of(k_, r, key_);
    const std::span<float> v = row_of(v_, r, key_);
    add_bias(q, weights.q_bias);
    add_bias(k, weights.k_bias);
    add_bias(v, weights.v_bias);
    const float* cosines = cosines_.data() + r * half;
    const float* sines = sines_.data() + r * half;
    for (int64_t at = 0; at < query_; at += config_.head_size) {
      kernels_.rotate(q.data() + at, cosines, sines, config_.head_size);
    }
    for (int64_t at = 0; at < key_; at += config_.head_size) {
      kernels_.rotate(k.data() + at, cosines, sines, config_.head_size);
    }
    const Row& row = rows[static_cast<size_t>(r)];
    cache_.write(layer, *row.held, row.position, k.data(), v.data());
  });
}

void Attention::attend(int32_t layer, const Row& row, int64_t index, int32_t kv_head,
                       Scratch& scratch) {
  const int32_t pages = row.position / KvPages::kPagePositions + 1;
  for (int32_t page = 0; page < pages; ++page) {
    const auto at = static_cast<size_t>(page);
    scratch.keys[at] = cache_.keys(layer, kv_head, row.held->pages[at]);
    scratch.values[at] = cache_.values(layer, kv_head, row.held->pages[at]);
  }
  AttentionTask task;
  task.heads = config_.heads / config_.kv_heads;
  task.head_size = config_.head_size;
  task.positions = row.position + 1;
  task.keys = scratch.keys.data();
  task.values = scratch.values.data();
  task.value_stride = cache_.value_stride();
  task.weights = scratch.weights.data();
  const int64_t offset = index * query_ + int64_t{kv_head} * task.heads * task.head_size;
  task.query = q_.data() + offset;
  task.out = mixed_.data() + offset;
  kernels_.attention(task);
}

void Attention::run(int32_t layer, const LayerWeights& weights, const Rows& rows,
                    std::span<const float> x, std::span<float> out) {
  const int64_t count = std::ssize(rows);
  project(weights, count, x);
  place(layer, weights, rows);
  mixed_.resize(static_cast<size_t>(count * query_));
  const int64_t tasks = count * config_.kv_heads;
  const auto task = [&](int64_t part, int who) {
    const int64_t row = part / config_.kv_heads;
    attend(layer, rows[static_cast<size_t>(row)], row,
           static_cast<int32_t>(part % config_.kv_heads), scratch_[static_cast<size_t>(who)]);
  };
  if (positions_seen_ * query_ < kWorthSharing) {
    for (int64_t part = 0; part < tasks; ++part) task(part, 0);
  } else {
    team_.run(tasks, task);
  }
  const Product product{weights.o, mixed_.data(), query_, count, out.data(), config_.hidden};
  multiply(team_, kernels_, std::span(&product, 1));
}

}  // namespace binnacle::engine
