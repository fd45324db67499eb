// `binnacle-engine plan`.
#pragma once

namespace CLI {
class App;
}

namespace binnacle::engine {
void add_plan_command(CLI::App& root, int& exit_code);
}  // namespace binnacle::engine
