// `binnacle-engine train`.
#pragma once

namespace CLI {
class App;
}

namespace binnacle::engine {

void add_train_command(CLI::App& root, int& exit_code);

}  // namespace binnacle::engine
