#include "engine/model/torch/expert_routing.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace binnacle::engine {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Rows in another order. Its gradient is the order undone: one parallel copy, where that of
// index_select adds row by row because an index could stand there twice.
class Permute : public torch::autograd::Function<Permute> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& order,
                        const Tensor& inverse) {
    context->save_for_backward({inverse});
    return x.index_select(0, order);
  }
  static tensor_list backward(AutogradContext* context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    return {gradients[0].index_select(0, saved[0]), Tensor(), Tensor()};
  }
};

}  // namespace

ExpertRouting::ExpertRouting(const Tensor& logits, const TrainingShape& shape)
    : rows_(logits.size(0)),
      per_row_(shape.config.experts_per_token),
      capacity_(-1),
      logits_(logits),
      probabilities_(torch::softmax(logits, -1)) {
  const int64_t experts = shape.config.experts;
  auto [best, chosen] = probabilities_.topk(per_row_, -1);
  weights_ = shape.config.normalize_expert_weights ? best / best.sum(-1, true) : best;
  const torch::NoGradGuard no_gradients;
  const Tensor flat = chosen.reshape({-1});
  order_ = std::get<1>(flat.sort(/*stable=*/true, 0, /*descending=*/false));
  inverse_ = torch::empty_like(order_);
  inverse_.scatter_(0, order_, torch::arange(order_.size(0)));
  if (shape.capacity_factor > 0) {
    capacity_ = std::max<int64_t>(
        1, static_cast<int64_t>(std::ceil(shape.capacity_factor * static_cast<float>(rows_) *
                                          static_cast<float>(per_row_) /
                                          static_cast<float>(experts))));
  }
  const Tensor counts = torch::bincount(flat, {}, experts);
  const int64_t* count = counts.data_ptr<int64_t>();
  stats_.expert_rows.assign(count, count + experts);
  for (const int64_t n : stats_.expert_rows) stats_.dropped += n - taken(n);
  stats_.entropy =
      -(probabilities_ * torch::log_softmax(logits_, -1)).sum(-1).mean().item<double>();
}

int64_t ExpertRouting::taken(int64_t choices) const {
  return capacity_ < 0 ? choices : std::min(choices, capacity_);
}

Tensor ExpertRouting::gather(const Tensor& x) const {
  const Tensor copies = x.unsqueeze(1).expand({rows_, per_row_, x.size(1)}).flatten(0, 1);
  return Permute::apply(copies, order_, inverse_);
}

Tensor ExpertRouting::combine(const Tensor& outs) const {
  const Tensor back = Permute::apply(outs, inverse_, order_).view({rows_, per_row_, outs.size(1)});
  return (back * weights_.unsqueeze(-1)).sum(1);
}

Tensor ExpertRouting::balance_loss() const {
  const auto experts = static_cast<int64_t>(stats_.expert_rows.size());
  Tensor share = torch::empty({experts}, torch::kFloat32);
  for (int64_t e = 0; e < experts; ++e) {
    share.data_ptr<float>()[e] = static_cast<float>(stats_.expert_rows[static_cast<size_t>(e)]) /
                                 static_cast<float>(rows_ * per_row_);
  }
  return static_cast<double>(experts) * (probabilities_.mean(0) * share).sum();
}

Tensor ExpertRouting::z_loss() const { return torch::logsumexp(logits_, -1).square().mean(); }

}  // namespace binnacle::engine
