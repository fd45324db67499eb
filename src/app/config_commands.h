// `binnacle config check|print|docs`: what a file says, without a server. The functions do the work
// and return the exit code; add_config_commands() ties them to the command line.
#pragma once

#include "base/config_substitution.h"

#include <iosfwd>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

// 0: the file is good. 1: every problem stands on a line of `err`.
int run_config_check(const std::string& file, const ConfigSources& sources, std::ostream& out,
                     std::ostream& err);

// The same for a prometheus.yml; its warnings stand on `err`, too.
int run_prometheus_check(const std::string& file, std::ostream& out, std::ostream& err);

struct ConfigPrintOptions {
  std::string file;  // empty: the defaults
  bool json = false;
};
// Effective values with secrets masked. 1 when the file is refused, as of run_config_check().
int run_config_print(const ConfigPrintOptions& options, const ConfigSources& sources,
                     std::ostream& out, std::ostream& err);

// The text of docs/configuration.md.
std::string config_docs();

// Adds `config` with its commands to the program. The one that is chosen runs while `root` parses
// and leaves its exit code in `exit_code`, which must outlive the parse.
void add_config_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
