// `binnacle-engine serve`.
#pragma once

namespace CLI {
class App;
}

namespace binnacle::engine {
void add_serve_command(CLI::App& root, int& exit_code);
}  // namespace binnacle::engine
