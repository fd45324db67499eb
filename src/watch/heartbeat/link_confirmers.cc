#include "watch/heartbeat/link_confirmers.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "net/tcp_probe.h"

namespace binnacle::watch::heartbeat {

using std::chrono::milliseconds;

ProbeOutcome probe_outcome(bool reached, std::string_view error) {
  if (reached) return ProbeOutcome::kReached;
  // The system's text for ECONNREFUSED, which agents of this protocol pass on.
  return error.find("refused") != std::string_view::npos ? ProbeOutcome::kRefused
                                                         : ProbeOutcome::kNoAnswer;
}

Result<uint64_t> LinkConfirmers::probe(const model::NodeId& via, const std::string& address,
                                       int64_t timeout_ms) {
  return link_.probe(via, address, timeout_ms);
}

Result<uint64_t> LinkConfirmers::echo(const model::NodeId& via, const std::string& address,
                                      int64_t interval_ms, int64_t duration_ms) {
  return link_.echo(via, address, interval_ms, duration_ms);
}

void LinkConfirmers::stop_echo(const model::NodeId& via, uint64_t id) {
  (void)link_.stop_echo(via, id);  // a node that is gone sends none anyway
}

void LinkConfirmers::probe_here(const std::string& address, int64_t timeout_ms, OnProbe on_probe) {
  const auto ask = [](std::string to, milliseconds timeout, const Clock& clock,
                      OnProbe done) -> boost::asio::awaitable<void> {
    const auto reached = co_await net::probe_tcp(std::move(to), timeout, clock);
    done(probe_outcome(reached.has_value(), reached ? "" : reached.error().message));
  };
  boost::asio::co_spawn(io_.next(),
                        ask(address, milliseconds(timeout_ms), clock_, std::move(on_probe)),
                        boost::asio::detached);
}

Result<uint64_t> LinkConfirmers::echo_here(const std::string& address, int64_t interval_ms,
                                           int64_t duration_ms, OnEcho on_echo) {
  if (echo_ == nullptr) return fail(Code::kFailedPrecondition, "echo: this server has no socket");
  return echo_->start(address, milliseconds(interval_ms), milliseconds(duration_ms),
                      [on_echo = std::move(on_echo)](const net::EchoProgress& progress) {
                        on_echo({progress.sent, progress.answered, progress.done});
                      });
}

void LinkConfirmers::stop_echo_here(uint64_t id) {
  if (echo_ != nullptr) echo_->cancel(id);
}

}  // namespace binnacle::watch::heartbeat
