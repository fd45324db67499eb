#include "base/signals.h"

#include <csignal>
#include <ctime>

namespace binnacle {
namespace {

sigset_t waited_for() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = waited_for();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<Signal> wait_for_signal(int64_t timeout_ms) {
  const sigset_t set = waited_for();
  const timespec timeout{timeout_ms / 1000, (timeout_ms % 1000) * 1'000'000};
  switch (sigtimedwait(&set, nullptr, &timeout)) {
    case SIGTERM:
    case SIGINT:
      return Signal::kStop;
    case SIGHUP:
      return Signal::kReload;
    default:
      return std::nullopt;
  }
}

}  // namespace binnacle
