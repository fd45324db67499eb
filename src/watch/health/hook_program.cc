#include "watch/health/hook_program.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config_units.h"
#include "net/run_program.h"

namespace binnacle::watch::health {
namespace {

constexpr size_t kShownBytes = 500;

std::string end_of(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.size() <= kShownBytes ? text : "..." + text.substr(text.size() - kShownBytes);
}

}  // namespace

boost::asio::awaitable<Status> run_hook_program(
    std::vector<std::string> argv, std::vector<std::pair<std::string, std::string>> environment,
    std::chrono::milliseconds timeout) {
  ProgramSpec spec;
  spec.argv = std::move(argv);
  spec.environment = std::move(environment);
  net::ProgramLimits limits;
  limits.timeout = timeout;
  const std::string name = spec.argv.empty() ? "" : spec.argv.front();
  auto run = co_await net::run_program(std::move(spec), limits);
  if (!run) co_return fail(std::move(run).error());
  if (run->timed_out) {
    co_return fail(Code::kDeadlineExceeded, fmt::format("{}: did not end within {}", name,
                                                        format_duration_ms(timeout.count())));
  }
  if (run->printed_too_much)
    co_return fail(Code::kResourceExhausted, fmt::format("{}: printed too much", name));
  if (!run->exit.signalled && run->exit.code == 0) co_return Status();
  co_return fail(Code::kUnavailable,
                 fmt::format("{}: {} {}: {}", name, run->exit.signalled ? "signal" : "exit code",
                             run->exit.code, end_of(run->err.empty() ? run->out : run->err)));
}

}  // namespace binnacle::watch::health
