// Which tensors a model of a given shape has: by our own names (model_folder.h), by those that its
// family's files use, and with their shapes. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/model_config.h"

namespace binnacle::engine {

struct ModelTensor {
  std::string name;       // our own
  std::string file_name;  // the family's
  std::vector<int64_t> shape;
  int32_t layer = -1;  // -1: of no layer
};

// In the order in which they are written: embedding, layers, norm, head. A tied head is none.
std::vector<ModelTensor> model_tensors(const ModelConfig& config);

}  // namespace binnacle::engine
