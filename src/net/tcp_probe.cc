#include "net/tcp_probe.h"

#include "net/client.h"
#include "net/deadline.h"
#include "net/dial.h"

#include <boost/asio/this_coro.hpp>

namespace binnacle::net {

namespace asio = boost::asio;

asio::awaitable<Result<int64_t>> probe_tcp(std::string address, std::chrono::milliseconds timeout,
                                           const Clock& clock) {
  const auto url = Url::parse("http://" + address);
  if (!url || url->target != "/" || !url->user.empty()) {
    co_return fail(Code::kInvalidArgument,
                   "probe " + address + ": not an address; write host:port or [v6]:port");
  }
  Deadline deadline(co_await asio::this_coro::executor, timeout);
  DialPlan plan;
  plan.connect_to = {url->host, url->port};
  const int64_t began_ns = clock.monotonic_ns();
  const auto connected = co_await dial(plan, timeout, deadline);
  if (!connected) co_return fail(connected.error());
  co_return clock.monotonic_ns() - began_ns;
}

}  // namespace binnacle::net
