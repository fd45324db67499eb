// Which experts take which rows of a batch, and the way there and back. Only for files with
// libtorch.
#pragma once

#include <torch/types.h>

#include "engine/model/torch/torch_model.h"

namespace binnacle::engine {

class ExpertRouting {
 public:
  // `logits`: [rows, experts].
  ExpertRouting(const torch::Tensor& logits, const TrainingShape& shape);

  // Of an expert's `choices` those that it takes.
  int64_t taken(int64_t choices) const;
  // [rows, hidden] -> [rows * experts per token, hidden], expert by expert, of one expert in the
  // order of rows.
  torch::Tensor gather(const torch::Tensor& x) const;
  // The way back: each row the weighted sum of what its experts made of it.
  torch::Tensor combine(const torch::Tensor& outs) const;

  torch::Tensor balance_loss() const;
  torch::Tensor z_loss() const;
  const RouterStats& stats() const { return stats_; }

 private:
  int64_t rows_;
  int64_t per_row_;
  int64_t capacity_;  // -1: no bound
  torch::Tensor logits_, probabilities_;
  torch::Tensor weights_;  // [rows, per row]
  torch::Tensor order_;    // place in expert order -> choice
  torch::Tensor inverse_;  // choice -> place
  RouterStats stats_;
};

}  // namespace binnacle::engine
