// `binnacle-engine worker`: its command line.
#pragma once

namespace CLI {
class App;
}

namespace binnacle::engine {

void add_worker_command(CLI::App& root, int& exit_code);

}  // namespace binnacle::engine
