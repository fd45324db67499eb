#include "net/probe_listener.h"

#include "net/listen_address.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>

namespace binnacle::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kAcceptPause{100};  // after a failure, as without descriptors

}  // namespace

struct ProbeListener::State {
  explicit State(asio::io_context& context) : acceptor(context) {}

  error_code bind(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
    return error;
  }

  static asio::awaitable<void> accept_all(std::shared_ptr<State> state) {
    asio::steady_timer pause(state->acceptor.get_executor());
    while (state->acceptor.is_open()) {
      const auto [error, socket] = co_await state->acceptor.async_accept(kAwait);
      if (error == asio::error::operation_aborted) co_return;
      if (!error) continue;
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAwait);
    }
  }

  tcp::acceptor acceptor;
};

Result<std::unique_ptr<ProbeListener>> ProbeListener::open(asio::io_context& context,
                                                           const std::string& address) {
  TRY_ASSIGN(const ListenAddress parsed, ListenAddress::parse(address));
  error_code error;
  const bool all = parsed.host.empty();
  const auto host = all ? asio::ip::address(asio::ip::address_v6::any())
                        : asio::ip::make_address(parsed.host, error);
  if (error || !parsed.unix_path.empty()) {
    return fail(Code::kInvalidArgument,
                "listen for probes on " + address + ": write :port, or an address and a port");
  }
  auto state = std::make_shared<State>(context);
  error = state->bind({host, parsed.port});
  // A machine without IPv6.
  if (error && all) {
    state = std::make_shared<State>(context);
    error = state->bind({asio::ip::address_v4::any(), parsed.port});
  }
  if (error) {
    return fail(Code::kFailedPrecondition,
                "listen for probes on " + address + ": " + error.message());
  }
  asio::co_spawn(context, State::accept_all(state), asio::detached);
  return std::unique_ptr<ProbeListener>(new ProbeListener(std::move(state)));
}

ProbeListener::ProbeListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

ProbeListener::~ProbeListener() {
  asio::post(state_->acceptor.get_executor(), [state = state_] {
    error_code ignored;
    state->acceptor.close(ignored);
  });
}

std::string ProbeListener::address() const {
  error_code ignored;
  const tcp::endpoint bound = state_->acceptor.local_endpoint(ignored);
  const std::string host = bound.address().is_unspecified() ? "" : bound.address().to_string();
  return host.empty() ? ":" + std::to_string(bound.port()) : format_host_port(host, bound.port());
}

}  // namespace binnacle::net
