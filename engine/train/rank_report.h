// What each rank tells the others beside its gradients, packed as numbers. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "engine/model/torch/torch_model.h"
#include "engine/train/collective.h"

namespace binnacle::engine {

struct RankReport {
  LossParts loss;
  double work_seconds = 0;  // of this step before the exchange
  double wait_seconds = 0;  // in the exchange of the step before
  bool stop = false;        // this rank was asked to stop after this step
};

std::vector<double> pack_report(const RankReport& report);
// kInvalidArgument: not a report of a model with as many layers and experts.
Result<RankReport> unpack_report(const std::vector<double>& packed, const ModelConfig& config);

// Losses as means over ranks, rows of experts as sums.
LossParts merge_losses(const std::vector<RankReport>& reports);

}  // namespace binnacle::engine
