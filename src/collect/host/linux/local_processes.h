// Which processes of this machine listen on which TCP ports, with their command lines: what the
// search for engines begins with. Reads /proc anew each time; sockets of processes that may not be
// looked into come with pid 0. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "model/local_process.h"

namespace binnacle::collect::host {

class LocalProcesses {
 public:
  // `proc_path`: "/proc". `files` outlives it.
  LocalProcesses(FileSystem& files, std::string proc_path);

  // By pid. An error only when there are no tables of sockets to read.
  Result<std::vector<model::LocalProcess>> listening();

 private:
  FileSystem& files_;
  const std::string proc_path_;
};

}  // namespace binnacle::collect::host
