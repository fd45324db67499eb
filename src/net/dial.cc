#include "net/dial.h"

#include "net/client.h"
#include "net/name_lookup.h"
#include "net/tcp_transport.h"
#include "net/tls_transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <vector>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kMaxProxyAnswerBytes = 16 * 1024;

std::string printed(const HostPort& to) {
  const bool address6 = to.host.find(':') != std::string::npos;
  return (address6 ? "[" + to.host + "]" : to.host) + ":" + std::to_string(to.port);
}

Unexpected too_late(const std::string& what, milliseconds limit) {
  return fail(Code::kDeadlineExceeded,
              what + ": not done in time (" + std::to_string(limit.count()) + " ms)");
}

asio::awaitable<Result<std::vector<tcp::endpoint>>> resolve(const HostPort& name,
                                                            Deadline& deadline) {
  error_code not_address;
  const auto address = asio::ip::make_address(name.host, not_address);
  if (!not_address) co_return std::vector{tcp::endpoint(address, name.port)};

  const auto addresses = co_await NameLookup::system().find(name.host, deadline);
  if (!addresses) co_return fail(addresses.error());
  std::vector<tcp::endpoint> endpoints;
  for (const auto& one : *addresses) endpoints.emplace_back(one, name.port);
  co_return endpoints;
}

// Every address gets a fair part of the time, so that one that swallows packets does not use it all
// up.
asio::awaitable<Result<tcp::socket>> connect_any(const HostPort& name,
                                                 const std::vector<tcp::endpoint>& endpoints,
                                                 milliseconds timeout, Deadline& deadline) {
  const milliseconds share = timeout / std::max<size_t>(endpoints.size(), 1);
  std::string failures;
  for (const tcp::endpoint& endpoint : endpoints) {
    if (deadline.expired()) break;
    tcp::socket socket(co_await asio::this_coro::executor);
    const auto cut = [&socket] {
      error_code ignored;
      socket.close(ignored);
    };
    Deadline attempt(socket.get_executor(), share, cut);
    deadline.on_expiry([&attempt] { attempt.expire(); });
    const auto [error] = co_await socket.async_connect(endpoint, kAwait);
    deadline.on_expiry(nullptr);
    if (!error && !attempt.expired()) co_return socket;
    failures += (failures.empty() ? "" : ", ") + endpoint.address().to_string() + ": " +
                (attempt.expired() ? "no answer" : error.message());
  }
  if (deadline.expired()) co_return too_late("connect to " + printed(name), timeout);
  co_return fail(Code::kUnavailable, "connect to " + printed(name) + ": " + failures);
}

// The proxy sends nothing beyond its head before we speak, so reading may take what comes.
asio::awaitable<Status> open_tunnel(tcp::socket& socket, const std::string& request,
                                    Deadline& deadline) {
  deadline.on_expiry([&socket] {
    error_code ignored;
    socket.close(ignored);
  });
  std::string answer;
  auto [error, written] = co_await asio::async_write(socket, asio::buffer(request), kAwait);
  while (!error && answer.find("\r\n\r\n") == std::string::npos &&
         answer.size() < kMaxProxyAnswerBytes) {
    char piece[1024];
    const auto [failed, size] = co_await socket.async_read_some(asio::buffer(piece), kAwait);
    error = failed;
    answer.append(piece, size);
  }
  deadline.on_expiry(nullptr);
  if (deadline.expired())
    co_return fail(Code::kDeadlineExceeded, "proxy: no answer to CONNECT in time");
  if (error) co_return fail(Code::kUnavailable, "proxy: connection lost: " + error.message());
  const std::string line = answer.substr(0, answer.find("\r\n"));
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' || line[9] != '2') {
    co_return fail(Code::kUnavailable, "proxy: refused CONNECT (" + line.substr(0, 200) + ")");
  }
  co_return Status{};
}

asio::awaitable<Result<std::unique_ptr<Transport>>> dial_unix(const std::string& path) {
  asio::local::stream_protocol::socket socket(co_await asio::this_coro::executor);
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    co_return fail(Code::kInvalidArgument, "connect to unix socket: path too long (" + path + ")");
  }
  // Succeeds or fails at once; non-blocking, because a full backlog would make it wait.
  error_code error;
  socket.open({}, error);
  if (!error) socket.non_blocking(true, error);
  if (!error) socket.connect(asio::local::stream_protocol::endpoint(path), error);
  if (error)
    co_return fail(Code::kUnavailable, "connect to unix socket " + path + ": " + error.message());
  co_return make_unix_transport(std::move(socket));
}

asio::awaitable<Result<std::unique_ptr<Transport>>> dial_tcp(const DialPlan& plan,
                                                             milliseconds timeout,
                                                             Deadline& deadline) {
  auto endpoints = co_await resolve(plan.connect_to, deadline);
  if (!endpoints) co_return fail(std::move(endpoints).error());
  auto socket = co_await connect_any(plan.connect_to, *endpoints, timeout, deadline);
  if (!socket) co_return fail(std::move(socket).error());
  if (!plan.tunnel_request.empty()) {
    auto tunnel = co_await open_tunnel(*socket, plan.tunnel_request, deadline);
    if (!tunnel) co_return fail(std::move(tunnel).error().with_context(printed(plan.connect_to)));
  }
  if (plan.tls == nullptr) co_return make_tcp_transport(std::move(*socket));
  auto context = plan.tls->current();
  if (!context) co_return fail(std::move(context).error());
  TlsPeer peer{.server_name = plan.server_name,
               .verify = !plan.tls->options().insecure_skip_verify};
  co_return co_await connect_tls(std::move(*socket), std::move(*context), std::move(peer),
                                 deadline);
}

}  // namespace

Result<HostPort> parse_host_port(const std::string& address) {
  const auto url = Url::parse("http://" + address);
  // A port that is left out would be that of HTTP.
  const bool has_port = !address.empty() && address.back() >= '0' && address.back() <= '9' &&
                        address.find(':') != std::string::npos;
  if (!url || url->target != "/" || !url->user.empty() || !has_port) {
    return fail(Code::kInvalidArgument,
                "not an address: write host:port or [v6]:port (" + address + ")");
  }
  return HostPort{url->host, url->port};
}

asio::awaitable<Result<std::vector<std::string>>> resolve_addresses(const std::string& host,
                                                                    Deadline& deadline) {
  const auto endpoints = co_await resolve({host, 0}, deadline);
  if (!endpoints) co_return fail(endpoints.error());
  std::vector<std::string> out;
  for (const tcp::endpoint& endpoint : *endpoints) out.push_back(endpoint.address().to_string());
  co_return out;
}

asio::awaitable<Result<std::unique_ptr<Transport>>> dial(const DialPlan& plan, milliseconds timeout,
                                                         Deadline& outer) {
  if (!plan.unix_socket.empty()) co_return co_await dial_unix(plan.unix_socket);
  Deadline deadline(co_await asio::this_coro::executor, timeout);
  outer.on_expiry([&deadline] { deadline.expire(); });
  auto transport = co_await dial_tcp(plan, timeout, deadline);
  outer.on_expiry(nullptr);
  co_return transport;
}

}  // namespace binnacle::net
