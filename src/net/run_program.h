// Runs a program and keeps what it prints, as a coroutine: no thread waits for it. Bounded whatever
// it does: forks, ignores SIGTERM, prints without end, leaves its pipes to somebody else.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/os_process.h"

namespace binnacle::net {

struct ProgramLimits {
  std::chrono::milliseconds timeout{5'000};
  std::chrono::milliseconds term_grace{1'000};  // from SIGTERM to SIGKILL
  size_t max_kept_bytes = 64 * 1024;            // of each stream; more is read and dropped
  size_t max_printed_bytes = size_t{16} << 20;  // of both; beyond it is killed
};

struct ProgramRun {
  ProgramExit exit;
  std::string out;
  std::string err;
  bool timed_out = false;
  bool printed_too_much = false;
  // Killed and still there a second later (stuck in the kernel). Keep it, and start no other before
  // reap() says that it has gone.
  std::unique_ptr<OsProcess> stuck = nullptr;
};

// At the program's end its group is killed, so that nothing it started stays. What began a session
// of its own escapes that. Errors as of OsProcess::start().
boost::asio::awaitable<Result<ProgramRun>> run_program(ProgramSpec spec, ProgramLimits limits);

}  // namespace binnacle::net
