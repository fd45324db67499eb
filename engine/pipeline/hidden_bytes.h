// Activations as bytes: little-endian fp32, or bf16 rounded to the nearest with ties to even.
// Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

size_t hidden_size(size_t values, NumberType type);  // in bytes
void append_hidden(std::string& out, std::span<const float> values, NumberType type);
// kInvalidArgument: no whole number of values.
Result<std::vector<float>> read_hidden(std::string_view bytes, NumberType type);

}  // namespace binnacle::engine
