// The command line of `binnacle server`.
#pragma once

namespace CLI {
class App;
}

namespace binnacle::app {

// The server runs while `root` parses and leaves its exit code in `exit_code`, which must outlive
// the parse.
void add_server_command(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
