// `binnacle-engine init`: writes a model with random weights, to try and to measure the engine
// with. run_init_command() does the work and returns the exit code (0 done, 1 refused or failed).
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "engine/model/model_config.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::engine {

// What is not given comes from the preset.
struct InitCommand {
  std::string folder;
  std::string preset = "demo";
  NumberType type = NumberType::kFloat32;
  uint64_t seed = 1;
  bool replace = false;  // a model that is there
  bool progress = true;
  std::string name;
  std::optional<int32_t> layers, hidden, heads, kv_heads, head_size, ffn, vocabulary, positions;
  std::optional<int32_t> experts, experts_per_token;
  bool tied = false;
};

int run_init_command(const InitCommand& command, FileSystem& files, std::ostream& out,
                     std::ostream& err);

// The command runs while `root` parses and leaves its exit code in `exit_code`, which must outlive
// the parse.
void add_init_command(CLI::App& root, int& exit_code);

}  // namespace binnacle::engine
