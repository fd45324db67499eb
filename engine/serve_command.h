// `binnacle-engine serve`.
#pragma once

#include <CLI/App.hpp>

namespace binnacle::engine {
void add_serve_command(CLI::App& root, int& exit_code);
}  // namespace binnacle::engine
