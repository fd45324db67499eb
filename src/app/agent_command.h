// The command line of `binnacle agent`.
#pragma once

namespace CLI {
class App;
}

namespace binnacle::app {

// The agent runs while `root` parses and leaves its exit code in `exit_code`, which must outlive
// the parse.
void add_agent_command(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
