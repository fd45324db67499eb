#include "watch/alerts/receivers/exec_notifier.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/config_units.h"
#include "net/run_program.h"
#include "watch/alerts/receivers/notification_json.h"
#include "watch/alerts/receivers/notification_text.h"

namespace binnacle::watch::alerts {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr int kTryAgain = 75;
constexpr size_t kShownBytes = 500;

std::string end_of(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.size() <= kShownBytes ? text : "..." + text.substr(text.size() - kShownBytes);
}

SendOutcome judge(const std::string& name, const net::ProgramRun& run, int64_t timeout_ms) {
  using Kind = SendOutcome::Kind;
  if (run.timed_out) {
    return {
        .kind = Kind::kRetry,
        .message = fmt::format("{}: did not end within {}", name, format_duration_ms(timeout_ms))};
  }
  if (run.printed_too_much)
    return {.kind = Kind::kFailed, .message = fmt::format("{}: printed too much", name)};
  if (!run.exit.signalled && run.exit.code == 0) return {};
  const bool again = !run.exit.signalled && run.exit.code == kTryAgain;
  return {.kind = again ? Kind::kRetry : Kind::kFailed,
          .message = fmt::format("{}: {} {}: {}", name, run.exit.signalled ? "signal" : "exit code",
                                 run.exit.code, end_of(run.err.empty() ? run.out : run.err))};
}

asio::awaitable<SendOutcome> run_for(ProgramSpec spec, int64_t timeout_ms) {
  const std::string name = spec.argv.empty() ? "" : spec.argv.front();
  net::ProgramLimits limits;
  limits.timeout = milliseconds(timeout_ms);
  const auto run = co_await net::run_program(std::move(spec), limits);
  if (!run)
    co_return SendOutcome{.kind = SendOutcome::Kind::kFailed, .message = run.error().message};
  co_return judge(name, *run, timeout_ms);
}

}  // namespace

asio::awaitable<SendOutcome> ExecNotifier::send(const Notification& notification,
                                                int64_t timeout_ms) {
  ProgramSpec spec;
  spec.argv = config_.command;
  spec.environment = {{"BINNACLE_DEDUP_KEY", dedup_key(notification, dedup_scope_)},
                      {"BINNACLE_RECEIVER", notification.receiver},
                      {"BINNACLE_STATUS", notification.firing() ? "firing" : "resolved"}};
  spec.input = notification_json(notification, 0, true) + "\n";
  return run_for(std::move(spec), std::min(timeout_ms, config_.timeout_ms));
}

}  // namespace binnacle::watch::alerts
