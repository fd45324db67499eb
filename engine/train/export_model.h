// A model in training as a model folder that the pipeline serves.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/model/torch/torch_model.h"

namespace binnacle::engine {

// Replaces what the folder holds, atomically.
Status export_model(TorchModel& model, const ModelConfig& config, NumberType type,
                    const std::string& folder);

}  // namespace binnacle::engine
