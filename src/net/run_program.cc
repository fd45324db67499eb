#include "net/run_program.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

#include "net/deadline.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr milliseconds kKillWait{1'000};
// For output that is in the pipes already when the program ends.
constexpr milliseconds kDrainWait{100};
constexpr size_t kReadBytes = 16 * 1024;

// Shared by the coroutines that read the two streams and the one that waits for the end.
struct Run {
  Run(const asio::any_io_executor& executor, std::unique_ptr<OsProcess> started,
      ProgramLimits program_limits)
      : limits(program_limits),
        process(std::move(started)),
        ended(executor, process->ended_fd()),
        out(executor, process->take_out()),
        err(executor, process->take_err()),
        drained(executor, asio::steady_timer::time_point::max()) {}
  ~Run() { ended.release(); }  // the process closes it

  const ProgramLimits limits;
  std::unique_ptr<OsProcess> process;
  stream_descriptor ended;
  stream_descriptor out;
  stream_descriptor err;
  asio::steady_timer drained;  // cancelled when both streams have ended
  int open_streams = 2;
  size_t printed = 0;
  ProgramRun result;
};

// Cancels what waits for the program's end, once it has printed too much.
asio::awaitable<void> collect(std::shared_ptr<Run> run, stream_descriptor& from,
                              std::string& into) {
  std::array<char, kReadBytes> piece;
  while (true) {
    const auto [error, size] = co_await from.async_read_some(asio::buffer(piece), kAwait);
    if (error) break;
    run->printed += size;
    into.append(piece.data(), std::min(size, run->limits.max_kept_bytes - into.size()));
    if (run->printed <= run->limits.max_printed_bytes) continue;
    run->result.printed_too_much = true;
    run->ended.cancel();
    break;
  }
  if (--run->open_streams == 0) run->drained.cancel();
}

// False: still there after `limit`.
asio::awaitable<bool> wait_for_end(Run& run, milliseconds limit) {
  Deadline deadline(run.ended.get_executor(), limit, [&run] { run.ended.cancel(); });
  const auto [error] = co_await run.ended.async_wait(stream_descriptor::wait_read, kAwait);
  co_return !error;
}

asio::awaitable<void> wait_for_output(Run& run) {
  if (run.open_streams > 0) {
    run.drained.expires_after(kDrainWait);
    co_await run.drained.async_wait(kAwait);
  }
  error_code ignored;
  run.out.close(ignored);
  run.err.close(ignored);
}

}  // namespace

asio::awaitable<Result<ProgramRun>> run_program(ProgramSpec spec, ProgramLimits limits) {
  auto started = OsProcess::start(spec);
  if (!started) co_return fail(std::move(started).error());
  const auto executor = co_await asio::this_coro::executor;
  const auto run = std::make_shared<Run>(executor, std::move(*started), limits);
  asio::co_spawn(executor, collect(run, run->out, run->result.out), asio::detached);
  asio::co_spawn(executor, collect(run, run->err, run->result.err), asio::detached);

  bool ended = co_await wait_for_end(*run, limits.timeout);
  if (!ended) {
    run->result.timed_out = !run->result.printed_too_much;
    run->process->terminate();
    ended = co_await wait_for_end(*run, limits.term_grace);
  }
  run->process->kill();
  if (!ended) co_await wait_for_end(*run, kKillWait);
  co_await wait_for_output(*run);
  if (const auto exit = run->process->reap()) {
    run->result.exit = *exit;
  } else {
    run->ended.release();
    run->result.stuck = std::move(run->process);
  }
  co_return std::move(run->result);
}

}  // namespace binnacle::net
