// `binnacle promql test FILE...`: runs scripts of queries and what they must answer, each over a
// store of its own in memory. The function does the work and returns the exit code (0 all passed, 1
// an eval failed, 2 a file cannot be read or is no script).
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "query/promql/test_script_run.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

struct PromqlTest {
  std::vector<std::string> paths;
  bool json = false;
  bool verbose = false;  // tell of every failure, not of the first few of a file
};

int run_promql_test(const PromqlTest& command, FileSystem& files, std::ostream& out,
                    std::ostream& err);

// What scripts run over: the simplest store there is.
Result<std::unique_ptr<query::promql::ScriptStore>> make_memory_script_store();

void add_promql_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
