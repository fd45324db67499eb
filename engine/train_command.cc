#include "engine/train_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/os_process.h"

namespace binnacle::engine {
namespace {

// What libtorch's libraries read when they are loaded, so that it must be set before.
std::vector<std::pair<std::string, std::string>> tensor_variables() {
  std::vector<std::pair<std::string, std::string>> out{
      // Threads that wait leave the processor to others.
      {"OMP_WAIT_POLICY", "passive"},
      // oneDNN 2.6 dies of an illegal instruction in bf16 on machines with AMX.
      {"DNNL_MAX_CPU_ISA", "AVX512_CORE_BF16"}};
  // OpenBLAS 0.3.21 does not know newer processors and takes them for old ones: 5 times slower.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    out.emplace_back("OPENBLAS_CORETYPE", "SkylakeX");
  }
  return out;
}

int become_trainer(const std::vector<std::string>& words) {
  auto self = this_program();
  if (!self) {
    std::fprintf(stderr, "binnacle-engine train: %s\n", self.error().message.c_str());
    return 1;
  }
  std::vector<std::string> argv{*self + "-train"};
  argv.insert(argv.end(), words.begin(), words.end());
  const Error error = become_program(std::move(argv), tensor_variables());
  std::fprintf(stderr,
               "binnacle-engine train: %s. binnacle-engine-train belongs beside binnacle-engine\n",
               error.message.c_str());
  return 1;
}

}  // namespace

void add_train_command(CLI::App& root, int& exit_code) {
  CLI::App* train = root.add_subcommand("train", "Train a model on a folder of texts");
  // Its options are those of binnacle-engine-train, --help included.
  train->prefix_command();
  train->set_help_flag();
  train->callback([train, &exit_code] { exit_code = become_trainer(train->remaining()); });
}

}  // namespace binnacle::engine
