// config.json of a model folder, read into a ModelConfig and written from one. The families and
// keys that are known, and what is refused by name, stand in docs/formats/model-folder.md. Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/model_config.h"

namespace binnacle::engine {

inline constexpr size_t kMaxConfigJsonBytes = size_t{1} << 20;
// The metadata of a weights file under which its writer puts the config.json of the same model.
inline constexpr std::string_view kHeldConfigKey = "binnacle_config";

// `file` stands before each error.
Result<ModelConfig> parse_config_json(std::string_view text, const std::string& file);
// eos_token_id of generation_config.json, which names more end tokens than config.json does.
Result<std::vector<int32_t>> parse_generation_end_tokens(std::string_view text,
                                                         const std::string& file);

// The family's keys and tensor names that say all of `config`; its architecture is kept where it
// can.
std::string architecture_for(const ModelConfig& config);
// Ends with a newline. `pair` ties the text to a weights file written with it (model_folder.h).
std::string config_json(const ModelConfig& config, NumberType type, std::string_view pair);
// The `pair` of such a text; "" where there is none, or no JSON.
std::string config_json_pair(std::string_view text);

}  // namespace binnacle::engine
