// `binnacle-engine plan`.
#pragma once

#include <CLI/App.hpp>

namespace binnacle::engine {
void add_plan_command(CLI::App& root, int& exit_code);
}  // namespace binnacle::engine
