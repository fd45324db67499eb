#include "engine/model/feed_forward.h"

#include <algorithm>
#include <array>

#include "engine/model/products.h"

namespace binnacle::engine {

FeedForwardBlock::FeedForwardBlock(const ModelConfig& config, LayerRange layers,
                                   const Kernels& kernels, ThreadTeam& team, ExpertCache* cache,
                                   RoutingLog* log)
    : config_(config),
      first_layer_(layers.begin),
      kernels_(kernels),
      team_(team),
      cache_(cache),
      log_(log) {
  const auto experts = static_cast<size_t>(config.experts);
  assigned_.resize(experts);
  expert_rows_.assign(static_cast<size_t>(layers.size()), std::vector<int64_t>(experts));
}

void FeedForwardBlock::run(int32_t layer, const LayerWeights& weights, const Rows& rows,
                           std::span<const float> x, std::span<float> out) {
  if (config_.experts > 0) {
    mixture(layer, weights, rows, x.data(), out.data());
  } else {
    dense(weights.dense, std::ssize(rows), x.data(), out.data());
  }
}

void FeedForwardBlock::dense(const FeedForward& ffn, int64_t rows, const float* x, float* out) {
  const int64_t inner = ffn.gate.out;
  gate_.resize(static_cast<size_t>(rows * inner));
  up_.resize(static_cast<size_t>(rows * inner));
  const std::array into = {Product{ffn.gate, x, config_.hidden, rows, gate_.data(), inner},
                           Product{ffn.up, x, config_.hidden, rows, up_.data(), inner}};
  multiply(team_, kernels_, into);
  for_each_row(team_, rows, inner, [&](int64_t row) {
    kernels_.swiglu(gate_.data() + row * inner, up_.data() + row * inner, inner);
  });
  const Product back{ffn.down, gate_.data(), inner, rows, out, config_.hidden};
  multiply(team_, kernels_, std::span(&back, 1));
}

void FeedForwardBlock::choose(int32_t layer, const LayerWeights& weights, const Rows& rows,
                              const float* x) {
  const int64_t experts = config_.experts;
  scores_.resize(rows.size() * static_cast<size_t>(experts));
  const Product product{weights.router, x,      config_.hidden, std::ssize(rows),
                        scores_.data(), experts};
  multiply(team_, kernels_, std::span(&product, 1));
  for (auto& list : assigned_) list.clear();
  Routing routing;
  for (size_t r = 0; r < rows.size(); ++r) {
    route(kernels_, config_, scores_.data() + static_cast<int64_t>(r) * experts, routing);
    for (size_t i = 0; i < routing.experts.size(); ++i) {
      assigned_[static_cast<size_t>(routing.experts[i])].push_back(
          {static_cast<int64_t>(r), routing.weights[i]});
    }
    if (log_ == nullptr) continue;
    log_->add(rows[r].sequence, rows[r].position, first_layer_ + layer, routing.experts,
              routing.weights);
  }
}

void FeedForwardBlock::compute(std::span<const Group> groups,
                               std::span<const FeedForward> experts) {
  const int64_t hidden = config_.hidden;
  const int64_t inner = config_.expert_ffn;
  std::vector<Product> into;
  std::vector<Product> back;
  for (size_t i = 0; i < groups.size(); ++i) {
    const Group& group = groups[i];
    const float* x = gathered_.data() + group.first * hidden;
    float* gate = gate_.data() + group.first * inner;
    float* up = up_.data() + group.first * inner;
    into.push_back({experts[i].gate, x, hidden, group.rows, gate, inner});
    into.push_back({experts[i].up, x, hidden, group.rows, up, inner});
    back.push_back(
        {experts[i].down, gate, inner, group.rows, results_.data() + group.first * hidden, hidden});
  }
  multiply(team_, kernels_, into);
  const int64_t first = groups.front().first;
  const int64_t rows = groups.back().first + groups.back().rows - first;
  for_each_row(team_, rows, inner, [&](int64_t row) {
    const int64_t at = (first + row) * inner;
    kernels_.swiglu(gate_.data() + at, up_.data() + at, inner);
  });
  multiply(team_, kernels_, back);
}

void FeedForwardBlock::mixture(int32_t layer, const LayerWeights& weights, const Rows& rows,
                               const float* x, float* out) {
  choose(layer, weights, rows, x);
  const int64_t hidden = config_.hidden;
  const size_t places = rows.size() * static_cast<size_t>(config_.experts_per_token);
  gathered_.resize(places * static_cast<size_t>(hidden));
  results_.resize(places * static_cast<size_t>(hidden));
  gate_.resize(places * static_cast<size_t>(config_.expert_ffn));
  up_.resize(places * static_cast<size_t>(config_.expert_ffn));
  groups_.clear();
  std::vector<FeedForward> experts;
  int64_t place = 0;
  for (int32_t e = 0; e < config_.experts; ++e) {
    const auto& list = assigned_[static_cast<size_t>(e)];
    if (list.empty()) continue;
    groups_.push_back({e, place, std::ssize(list)});
    experts.push_back(weights.experts[static_cast<size_t>(e)]);
    expert_rows_[static_cast<size_t>(layer)][static_cast<size_t>(e)] += std::ssize(list);
    for (const Assignment& one : list) {
      std::copy_n(x + one.row * hidden, hidden, gathered_.data() + place++ * hidden);
    }
  }
  if (cache_ == nullptr) {
    compute(groups_, experts);
  } else {
    // One by one: the cache promises one expert at a time.
    for (size_t i = 0; i < groups_.size(); ++i) {
      const FeedForward& held = cache_->get(layer, groups_[i].expert, experts[i]);
      compute(std::span(&groups_[i], 1), std::span(&held, 1));
    }
  }
  std::fill_n(out, std::ssize(rows) * hidden, 0.0F);
  place = 0;
  for (const auto& list : assigned_) {
    for (const Assignment& one : list) {
      kernels_.add_scaled(out + one.row * hidden, results_.data() + place++ * hidden, one.weight,
                          hidden);
    }
  }
  if (config_.shared_expert_ffn > 0) add_shared(weights, std::ssize(rows), x, out);
}

void FeedForwardBlock::add_shared(const LayerWeights& weights, int64_t rows, const float* x,
                                  float* out) {
  results_.resize(std::max(results_.size(), static_cast<size_t>(rows * config_.hidden)));
  dense(weights.shared, rows, x, results_.data());
  scores_.resize(static_cast<size_t>(rows));
  const Product product{weights.shared_router, x, config_.hidden, rows, scores_.data(), 1};
  multiply(team_, kernels_, std::span(&product, 1));
  for (int64_t row = 0; row < rows; ++row) {
    // Of two scores, one of them 0, softmax is the logistic function of the other.
    std::array<float, 2> gate = {scores_[static_cast<size_t>(row)], 0};
    kernels_.softmax(gate.data(), 2);
    kernels_.add_scaled(out + row * config_.hidden, results_.data() + row * config_.hidden, gate[0],
                        config_.hidden);
  }
}

}  // namespace binnacle::engine
