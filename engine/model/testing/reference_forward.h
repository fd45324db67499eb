// The forward pass as the papers write it: in doubles, one position after the other, every sum a
// plain loop. RMSNorm: Zhang and Sennrich 2019. Attention: Vaswani et al. 2017, grouped by Ainslie
// et al. 2023. Rotary embedding: Su et al. 2021. SwiGLU: Shazeer 2020. Mixture of experts: Shazeer
// et al. 2017. Slow; shares no arithmetic with the engine.
#pragma once

#include <span>
#include <vector>

#include "engine/model/model_folder.h"

namespace binnacle::engine {

// The natural logarithm of every token's probability after each of the positions.
std::vector<std::vector<double>> reference_logprobs(const ModelFolder& folder,
                                                    std::span<const int32_t> tokens);

}  // namespace binnacle::engine
