// Whether a step fits the model and the range, before anything is computed. Pure; any thread.
#pragma once

#include "base/error.h"
#include "engine/model/forward.h"

namespace binnacle::engine {

// kInvalidArgument that names what is wrong: counts of tokens and numbers, tokens outside the
// vocabulary, sampling of a range without the head, bad sampling values.
Status check_step(const Step& step, const ModelConfig& config, LayerRange layers);

int32_t rows_of(const Step& step);

}  // namespace binnacle::engine
