// `binnacle key create|list|revoke|rotate|join-token|login-link`: in the data folder while no
// server runs on it, or over a server's API. run_key_command() does the work and returns the exit
// code (0 done, 1 refused or failed); add_key_commands() ties it to the command line, whose own
// errors CLI11 reports.
#pragma once

#include "base/file_system.h"

#include <cstdint>
#include <iosfwd>
#include <string>

namespace CLI {
class App;
}

namespace binnacle::app {

enum class KeyAction : uint8_t { kCreate, kList, kRevoke, kRotate, kJoinToken, kLoginLink };

struct KeyCommand {
  KeyAction action = KeyAction::kList;
  std::string data_folder;  // empty: default_data_folder()
  std::string server;       // URL; empty: the data folder
  std::string key;          // for the server
  bool json = false;
  std::string id;           // of revoke and rotate
  std::string name, role;   // of create
  int64_t lifetime_ms = 0;  // of create (0: for ever), join-token and login-link
  int64_t overlap_ms = 0;   // of rotate
  bool all = false;         // list revoked and expired keys too
  std::string link_base;    // of login-link: "http://host:port"
};

// A secret that is told once stands alone on a line of `out`, so that a script can take it.
int run_key_command(const KeyCommand& command, FileSystem& files, std::ostream& out,
                    std::ostream& err);

// The command that is chosen runs while `root` parses and leaves its exit code in `exit_code`,
// which must outlive the parse.
void add_key_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
