#include "net/tcp_probe.h"

#include "net/deadline.h"
#include "net/dial.h"

#include <boost/asio/this_coro.hpp>

namespace binnacle::net {

namespace asio = boost::asio;

asio::awaitable<Result<int64_t>> probe_tcp(std::string address, std::chrono::milliseconds timeout,
                                           const Clock& clock) {
  auto to = parse_host_port(address);
  if (!to) co_return fail(std::move(to).error().with_context("probe"));
  Deadline deadline(co_await asio::this_coro::executor, timeout);
  DialPlan plan;
  plan.connect_to = std::move(*to);
  const int64_t began_ns = clock.monotonic_ns();
  const auto connected = co_await dial(plan, timeout, deadline);
  if (!connected) co_return fail(connected.error());
  co_return clock.monotonic_ns() - began_ns;
}

}  // namespace binnacle::net
