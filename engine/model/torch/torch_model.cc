// Llama (Touvron et al. 2023) with grouped-query attention, rotary embedding (Su et al. 2021) in
// the layout of Hugging Face (a head's first half turns with its second), SwiGLU (Shazeer 2020);
// routing as in Mixtral (Jiang et al. 2024), balance loss of the Switch Transformer (Fedus et al.
// 2021), z loss of ST-MoE (Zoph et al. 2022).
#include "engine/model/torch/torch_model.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "engine/model/torch/expert_routing.h"
#include "engine/model/torch/parameter_table.h"

namespace binnacle::engine {
namespace {

using torch::Tensor;

struct AttentionWeights {
  Tensor norm, q, k, v, o;
};
struct FfnWeights {
  Tensor gate, up, down;
};
struct LayerWeights {
  AttentionWeights attention;
  Tensor ffn_norm;
  FfnWeights dense;  // of a dense layer
  Tensor router;     // of one with experts
  std::vector<FfnWeights> experts;
};

// Sums over layers.
struct RouterLosses {
  Tensor balance, z;
  std::vector<RouterStats> stats;
};

Tensor rms_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  return x * torch::rsqrt(x.square().mean(-1, true) + epsilon) * weight;
}

Tensor swiglu(const Tensor& x, const FfnWeights& w) {
  return torch::linear(torch::silu(torch::linear(x, w.gate)) * torch::linear(x, w.up), w.down);
}

// x: [rows, heads, length, head size].
Tensor rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const auto halves = x.chunk(2, -1);
  return x * cosine + torch::cat({-halves[1], halves[0]}, -1) * sine;
}

class Model final : public TorchModel {
 public:
  explicit Model(TrainingShape shape) : shape_(std::move(shape)), table_(shape_.config) {
    const ModelConfig& c = shape_.config;
    embed_ = table_.at("embed");
    norm_ = table_.at("norm");
    head_ = c.tied_embeddings ? embed_ : table_.at("head");
    for (int32_t i = 0; i < c.layers; ++i) layers_.push_back(layer_weights(i));
  }

  const std::vector<ParameterRange>& ranges() const override { return table_.ranges(); }
  int64_t size() const override { return table_.size(); }
  float* parameters() override { return table_.values(); }
  float* gradients() override { return table_.gradients(); }

  Result<LossParts> forward_backward(const int32_t* tokens, int64_t rows, int64_t length) override {
    try {
      auto [loss, parts] = losses(tokens, rows, length);
      loss.backward();
      return std::move(parts);
    } catch (const std::exception& e) {
      return fail(Code::kInternal, std::string("forward and backward: ") + e.what());
    }
  }

  Result<LossParts> evaluate(const int32_t* tokens, int64_t rows, int64_t length) override {
    try {
      const torch::NoGradGuard no_gradients;
      return losses(tokens, rows, length).second;
    } catch (const std::exception& e) {
      return fail(Code::kInternal, std::string("forward: ") + e.what());
    }
  }

 private:
  FfnWeights ffn_weights(const std::string& prefix) const {
    return {table_.at(prefix + "gate"), table_.at(prefix + "up"), table_.at(prefix + "down")};
  }

  LayerWeights layer_weights(int32_t layer) const {
    const std::string prefix = "layer." + std::to_string(layer) + ".";
    LayerWeights w;
    w.attention = {table_.at(prefix + "attention_norm"), table_.at(prefix + "q"),
                   table_.at(prefix + "k"), table_.at(prefix + "v"), table_.at(prefix + "o")};
    w.ffn_norm = table_.at(prefix + "ffn_norm");
    if (shape_.config.experts == 0) {
      w.dense = ffn_weights(prefix);
      return w;
    }
    w.router = table_.at(prefix + "router");
    for (int32_t e = 0; e < shape_.config.experts; ++e) {
      w.experts.push_back(ffn_weights(prefix + "expert." + std::to_string(e) + "."));
    }
    return w;
  }

  void make_positions(int64_t length) {
    if (cosine_.defined() && cosine_.size(0) == length) return;
    const torch::NoGradGuard no_gradients;
    const int64_t half = shape_.config.head_size / 2;
    const Tensor powers = torch::arange(half, torch::kFloat64) / static_cast<double>(half);
    const Tensor frequency = torch::pow(static_cast<double>(shape_.config.rope_theta), -powers);
    const Tensor angle = torch::outer(torch::arange(length, torch::kFloat64), frequency);
    const Tensor both = torch::cat({angle, angle}, -1);
    cosine_ = both.cos().to(torch::kFloat32);
    sine_ = both.sin().to(torch::kFloat32);
    future_ = torch::full({length, length}, -INFINITY, torch::kFloat32).triu(1);
  }

  // x: [rows, length, hidden].
  Tensor attention(const Tensor& x, const AttentionWeights& w) const {
    const ModelConfig& c = shape_.config;
    const int64_t rows = x.size(0);
    const int64_t length = x.size(1);
    const auto heads = [&](const Tensor& weight, int64_t count) {
      return torch::linear(x, weight).view({rows, length, count, c.head_size}).transpose(1, 2);
    };
    const Tensor q = rotate(heads(w.q, c.heads), cosine_, sine_);
    Tensor k = rotate(heads(w.k, c.kv_heads), cosine_, sine_);
    Tensor v = heads(w.v, c.kv_heads);
    if (c.heads != c.kv_heads) {
      k = k.repeat_interleave(c.heads / c.kv_heads, 1);
      v = v.repeat_interleave(c.heads / c.kv_heads, 1);
    }
    const double scale = 1 / std::sqrt(static_cast<double>(c.head_size));
    const Tensor scores = torch::matmul(q * scale, k.transpose(-2, -1)) + future_;
    const Tensor mixed = torch::matmul(torch::softmax(scores, -1), v);
    return torch::linear(mixed.transpose(1, 2).reshape({rows, length, -1}), w.o);
  }

  // x: [rows, hidden].
  Tensor experts(const Tensor& x, const LayerWeights& w, RouterLosses& losses) const {
    const ExpertRouting routing(torch::linear(x, w.router), shape_);
    losses.balance = losses.balance + routing.balance_loss();
    losses.z = losses.z + routing.z_loss();
    losses.stats.push_back(routing.stats());
    const Tensor in = routing.gather(x);
    std::vector<Tensor> outs;
    int64_t at = 0;
    for (size_t e = 0; e < w.experts.size(); ++e) {
      const int64_t all = routing.stats().expert_rows[e];
      const int64_t taken = routing.taken(all);
      if (taken > 0) outs.push_back(swiglu(in.narrow(0, at, taken), w.experts[e]));
      if (taken < all) outs.push_back(torch::zeros({all - taken, x.size(1)}, x.options()));
      at += all;
    }
    return routing.combine(torch::cat(outs, 0));
  }

  Tensor layer(const Tensor& x, const LayerWeights& w, RouterLosses& losses) const {
    const double epsilon = shape_.config.rms_epsilon;
    const Tensor mid = x + attention(rms_norm(x, w.attention.norm, epsilon), w.attention);
    const Tensor normed = rms_norm(mid, w.ffn_norm, epsilon);
    if (w.experts.empty()) return mid + swiglu(normed, w.dense);
    return mid + experts(normed.reshape({-1, normed.size(-1)}), w, losses).view_as(mid);
  }

  std::pair<Tensor, LossParts> losses(const int32_t* tokens, int64_t rows, int64_t length) {
    make_positions(length);
    const Tensor ids =
        torch::from_blob(const_cast<int32_t*>(tokens), {rows, length + 1}, torch::kInt32)
            .to(torch::kInt64);
    RouterLosses router{torch::zeros({}), torch::zeros({}), {}};
    Tensor x = torch::embedding(embed_, ids.narrow(1, 0, length));
    for (const LayerWeights& w : layers_) x = layer(x, w, router);
    const Tensor logits =
        torch::linear(rms_norm(x, norm_, shape_.config.rms_epsilon), head_).flatten(0, 1);
    const Tensor targets = ids.narrow(1, 1, length).reshape({-1});
    const Tensor cross_entropy = torch::nll_loss(torch::log_softmax(logits, -1), targets);
    return sum_up(cross_entropy, std::move(router));
  }

  std::pair<Tensor, LossParts> sum_up(const Tensor& cross_entropy, RouterLosses router) const {
    const ModelConfig& c = shape_.config;
    LossParts parts;
    Tensor total = cross_entropy;
    if (c.experts > 0) {
      const Tensor balance = router.balance / c.layers;
      const Tensor z = router.z / c.layers;
      total = total + c.load_balance_loss_weight * balance + c.z_loss_weight * z;
      parts.load_balance = balance.item<double>();
      parts.z = z.item<double>();
    }
    parts.cross_entropy = cross_entropy.item<double>();
    parts.total = total.item<double>();
    parts.routers = std::move(router.stats);
    return {total, std::move(parts)};
  }

  const TrainingShape shape_;
  ParameterTable table_;
  Tensor embed_, norm_, head_;
  std::vector<LayerWeights> layers_;
  Tensor cosine_, sine_;  // [length, head size]
  Tensor future_;         // added to scores: -inf where a position would look ahead
};

}  // namespace

Status check_trainable(const ModelConfig& c) {
  const auto refuse = [](const std::string& what) {
    return fail(Code::kUnimplemented, "this model cannot be trained: " + what);
  };
  if (c.attention_bias) return refuse("it has biases in its attention");
  if (c.shared_expert_ffn > 0) return refuse("it has a shared expert");
  if (c.layers <= 0 || c.hidden <= 0 || c.heads <= 0 || c.kv_heads <= 0 || c.vocabulary <= 0) {
    return refuse("layers, hidden, heads, kv_heads and vocabulary must be positive");
  }
  if (c.heads % c.kv_heads != 0) return refuse("kv_heads must divide heads");
  if (c.head_size <= 0 || c.head_size % 2 != 0) return refuse("head_size must be even");
  if (c.experts == 0) return c.ffn > 0 ? Status() : refuse("ffn must be positive");
  if (c.expert_ffn <= 0) return refuse("expert_ffn must be positive");
  if (c.experts_per_token < 1 || c.experts_per_token > c.experts) {
    return refuse("experts_per_token must be between 1 and experts");
  }
  return {};
}

Result<std::unique_ptr<TorchModel>> TorchModel::create(const TrainingShape& shape) {
  TRY(check_trainable(shape.config));
  try {
    return std::make_unique<Model>(shape);
  } catch (const std::exception& e) {
    return fail(Code::kResourceExhausted, std::string("memory for the model: ") + e.what());
  }
}

void set_tensor_threads(int threads) { at::set_num_threads(threads); }

double measure_matmul_flops_per_second(const Clock& clock) {
  constexpr int64_t kSide = 1024;
  constexpr int kTimes = 5;
  const torch::NoGradGuard no_gradients;
  const Tensor a = torch::full({kSide, kSide}, 0.5F);
  const Tensor b = torch::full({kSide, kSide}, 0.25F);
  Tensor c = torch::matmul(a, b);
  double best = 0;
  for (int i = 0; i < kTimes; ++i) {
    const int64_t begin_ns = clock.monotonic_ns();
    torch::matmul_out(c, a, b);
    const auto took_ns = static_cast<double>(std::max<int64_t>(1, clock.monotonic_ns() - begin_ns));
    best = std::max(best, 2.0 * kSide * kSide * kSide / took_ns * 1e9);
  }
  return best;
}

}  // namespace binnacle::engine
