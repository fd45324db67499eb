// `binnacle store stats|verify|repair|dump`: the metric store of a data folder, while no server
// runs on it. The functions do the work and return the exit code (0 good, 1 damage found or
// failed).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

struct StoreCommand {
  std::string data_folder;  // empty: default_data_folder()
  bool json = false;
};

int run_store_stats(const StoreCommand& command, FileSystem& files, std::ostream& out,
                    std::ostream& err);
// Reads every byte.
int run_store_verify(const StoreCommand& command, FileSystem& files, std::ostream& out,
                     std::ostream& err);
// Sets aside what is damaged, as a start does, blocks whose columns are damaged too.
int run_store_repair(const StoreCommand& command, FileSystem& files, std::ostream& out,
                     std::ostream& err);

struct StoreDump {
  StoreCommand command;
  std::vector<std::string> selectors;  // none: everything
  std::string start, end;              // as in the HTTP API; empty: no bound
};
// One series a line, as /api/binnacle/v1/export writes it.
int run_store_dump(const StoreDump& dump, FileSystem& files, std::ostream& out, std::ostream& err);

void add_store_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
