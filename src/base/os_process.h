// A program started by this one: the only place that starts any. The child leads a process group of
// its own, reads what it is given, writes into two pipes, and holds no other descriptor of ours. No
// shell: the words of the command go to it as they are. Blocks nowhere; whoever waits does so for
// ended_fd() (net/run_program.h). One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace binnacle {

struct ProgramSpec {
  std::vector<std::string> argv;  // the first is looked for along PATH when it has no slash
  // Beside PATH, HOME, LANG, TZ and TMPDIR, which are handed on; no other variable is.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string folder;  // to work in; empty: ours
  std::string input;   // what it finds on its standard input, as a file in memory
};

struct ProgramExit {
  bool signalled = false;
  int code = 0;  // the exit code, or the signal's number
};

// The file that this process runs.
Result<std::string> this_program();
// Puts another program in the place of this one: same process, same descriptors, environment and
// blocked signals. `defaults`: variables for where ours has none of that name. Comes back only with
// what went wrong. Before any thread is started.
Error become_program(std::vector<std::string> argv,
                     const std::vector<std::pair<std::string, std::string>>& defaults);

class OsProcess {
 public:
  // kNotFound, kPermissionDenied, kResourceExhausted, ...: what the system says, with the name.
  static Result<std::unique_ptr<OsProcess>> start(const ProgramSpec& spec);
  ~OsProcess();  // kills the group; waits for nothing
  OsProcess(const OsProcess&) = delete;
  OsProcess& operator=(const OsProcess&) = delete;

  int pid() const { return pid_; }
  int ended_fd() const { return ended_fd_; }  // readable once the child has ended
  // The reading ends of its output; the caller closes them. Once each.
  int take_out() { return std::exchange(out_fd_, -1); }
  int take_err() { return std::exchange(err_fd_, -1); }

  // To the child and all of its group, also after its own end, until it is reaped.
  void terminate();
  void kill();
  // nullopt: still there.
  std::optional<ProgramExit> reap();

 private:
  OsProcess() = default;
  void signal_group(int signal);

  int pid_ = -1;
  int ended_fd_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::optional<ProgramExit> exit_;
};

}  // namespace binnacle
