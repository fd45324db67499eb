// `binnacle alert check-config` and `binnacle alert routes`: what an alertmanager.yml says, without
// a server. They return the exit code: 0 fine, 1 not.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

int check_alert_configs(const std::vector<std::string>& paths, FileSystem& files, std::ostream& out,
                        std::ostream& err);

struct RoutesCommand {
  std::string config_file;
  std::vector<std::string> labels;  // "name=value" of the alert; none: the whole tree
  std::string verify_receivers;     // "a,b": another answer is an error
  bool json = false;
};

int show_alert_routes(const RoutesCommand& command, FileSystem& files, std::ostream& out,
                      std::ostream& err);

void add_alert_config_commands(CLI::App& group, int& exit_code);

}  // namespace binnacle::app
