// `binnacle check`: runs the checks of files here, or asks a server how things stand. run_check()
// does the work and returns the exit code: 0 healthy, 1 critical or failed, 2 degraded, 3 unknown
// (nobody answered, nothing to run).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "app/check_print.h"
#include "base/clock.h"
#include "base/file_system.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

struct CheckCommand {
  std::vector<std::string> files;  // not empty: run these here instead of asking the server
  std::string server = "http://127.0.0.1:8080";
  std::string key;
  std::vector<std::string> only;  // patterns of names
  bool continuous = false;        // until a signal stops it
  int64_t interval_ms = 30'000;
  CheckPrintOptions print;
  std::string output;     // a file, written anew each time; empty: `out`
  bool progress = false;  // on `err`
};

int run_check(const CheckCommand& command, FileSystem& files, const Clock& clock, std::ostream& out,
              std::ostream& err);

void add_check_command(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
