#include "plain_train.h"

#include <torch/torch.h>

#include <cmath>

namespace binnacle::engine {
namespace {

using torch::Tensor;

struct Layer {
  Tensor attention_norm, q, k, v, o, ffn_norm, router;
  std::vector<std::array<Tensor, 3>> experts;  // gate, up, down; one of a dense layer
};

Tensor norm(const Tensor& x, const Tensor& weight) {
  return x * torch::rsqrt(x.square().mean(-1, true) + 1e-5) * weight;
}

Tensor feed(const Tensor& x, const std::array<Tensor, 3>& w) {
  return torch::linear(torch::silu(torch::linear(x, w[0])) * torch::linear(x, w[1]), w[2]);
}

Tensor rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const auto halves = x.chunk(2, -1);
  return x * cosine + torch::cat({-halves[1], halves[0]}, -1) * sine;
}

}  // namespace

struct PlainTrain::Impl {
  ModelConfig c;
  std::vector<Tensor> parameters;
  Tensor embed, last_norm, head;
  std::vector<Layer> layers;
  std::unique_ptr<torch::optim::AdamW> optimizer;

  Tensor matrix(int64_t out, int64_t in) {
    Tensor made = (torch::randn({out, in}) * 0.02).requires_grad_();
    parameters.push_back(made);
    return made;
  }
  Tensor ones() {
    Tensor made = torch::ones({c.hidden}).requires_grad_();
    parameters.push_back(made);
    return made;
  }

  Tensor attention(const Tensor& x, const Layer& w, const Tensor& cosine, const Tensor& sine,
                   const Tensor& mask) const {
    const auto heads = [&](const Tensor& weight, int64_t count) {
      return torch::linear(x, weight)
          .view({x.size(0), x.size(1), count, c.head_size})
          .transpose(1, 2);
    };
    const Tensor q = rotate(heads(w.q, c.heads), cosine, sine);
    const Tensor k =
        rotate(heads(w.k, c.kv_heads), cosine, sine).repeat_interleave(c.heads / c.kv_heads, 1);
    const Tensor v = heads(w.v, c.kv_heads).repeat_interleave(c.heads / c.kv_heads, 1);
    const Tensor scores =
        torch::matmul(q, k.transpose(-2, -1)) / std::sqrt(static_cast<double>(c.head_size));
    const Tensor mixed = torch::matmul(torch::softmax(scores + mask, -1), v);
    return torch::linear(mixed.transpose(1, 2).flatten(2), w.o);
  }

  // One expert after the other, each with the rows that chose it.
  Tensor experts(const Tensor& x, const Layer& w, Tensor& extra) const {
    const Tensor logits = torch::linear(x, w.router);
    const Tensor all = torch::softmax(logits, -1);
    auto [weights, chosen] = all.topk(c.experts_per_token, -1);
    weights = weights / weights.sum(-1, true);
    const Tensor share =
        torch::one_hot(chosen, c.experts).to(torch::kFloat32).mean(at::IntArrayRef{0, 1});
    extra = extra +
            c.load_balance_loss_weight * c.experts * (share * all.mean(0)).sum() / c.layers +
            c.z_loss_weight * torch::logsumexp(logits, -1).square().mean() / c.layers;
    Tensor out = torch::zeros_like(x);
    for (int64_t e = 0; e < c.experts; ++e) {
      const Tensor places = (chosen == e).nonzero();
      const Tensor rows = places.select(1, 0);
      const Tensor weight = weights.index({rows, places.select(1, 1)}).unsqueeze(1);
      const auto& expert = w.experts[static_cast<size_t>(e)];
      out = out.index_add(0, rows, feed(x.index_select(0, rows), expert) * weight);
    }
    return out;
  }
};

PlainTrain::PlainTrain(const ModelConfig& config, double learning_rate)
    : impl_(std::make_unique<Impl>()) {
  Impl& m = *impl_;
  m.c = config;
  const ModelConfig& c = config;
  m.embed = m.matrix(c.vocabulary, c.hidden);
  for (int32_t i = 0; i < c.layers; ++i) {
    Layer w;
    w.attention_norm = m.ones();
    w.q = m.matrix(int64_t{c.heads} * c.head_size, c.hidden);
    w.k = m.matrix(int64_t{c.kv_heads} * c.head_size, c.hidden);
    w.v = m.matrix(int64_t{c.kv_heads} * c.head_size, c.hidden);
    w.o = m.matrix(c.hidden, int64_t{c.heads} * c.head_size);
    w.ffn_norm = m.ones();
    if (c.experts > 0) w.router = m.matrix(c.experts, c.hidden);
    const int64_t ffn = c.experts > 0 ? c.expert_ffn : c.ffn;
    for (int32_t e = 0; e < std::max(1, c.experts); ++e) {
      w.experts.push_back(
          {m.matrix(ffn, c.hidden), m.matrix(ffn, c.hidden), m.matrix(c.hidden, ffn)});
    }
    m.layers.push_back(std::move(w));
  }
  m.last_norm = m.ones();
  m.head = m.matrix(c.vocabulary, c.hidden);
  m.optimizer = std::make_unique<torch::optim::AdamW>(
      m.parameters, torch::optim::AdamWOptions(learning_rate).weight_decay(0.1));
}

PlainTrain::~PlainTrain() = default;

double PlainTrain::step(const std::vector<int32_t>& tokens, int64_t rows, int64_t length) {
  Impl& m = *impl_;
  const ModelConfig& c = m.c;
  const Tensor ids = torch::tensor(tokens).view({rows, length + 1});
  const Tensor frequency =
      torch::pow(static_cast<double>(c.rope_theta),
                 -torch::arange(0, c.head_size, 2) / static_cast<double>(c.head_size));
  const Tensor angle = torch::outer(torch::arange(length), frequency).repeat({1, 2});
  const Tensor cosine = angle.cos().to(torch::kFloat32);
  const Tensor sine = angle.sin().to(torch::kFloat32);
  const Tensor mask = torch::full({length, length}, -INFINITY).triu(1);
  Tensor extra = torch::zeros({});
  Tensor x = torch::embedding(m.embed, ids.narrow(1, 0, length));
  for (const Layer& w : m.layers) {
    x = x + m.attention(norm(x, w.attention_norm), w, cosine, sine, mask);
    const Tensor normed = norm(x, w.ffn_norm);
    x = x + (c.experts > 0 ? m.experts(normed.flatten(0, 1), w, extra).view_as(x)
                           : feed(normed, w.experts.front()));
  }
  const Tensor logits = torch::linear(norm(x, m.last_norm), m.head).flatten(0, 1);
  const Tensor loss = torch::nn::functional::cross_entropy(
                          logits, ids.narrow(1, 1, length).flatten().to(torch::kInt64)) +
                      extra;
  m.optimizer->zero_grad();
  loss.backward();
  torch::nn::utils::clip_grad_norm_(m.parameters, 1.0);
  m.optimizer->step();
  return loss.item<double>();
}

}  // namespace binnacle::engine
