#include "net/listener.h"

#include "net/listen_address.h"
#include "net/port_owner.h"
#include "net/tcp_transport.h"
#include "net/tls_transport.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace binnacle::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr int64_t kAcceptLogEveryNs = 5'000'000'000;
constexpr std::string_view kTooManyConnections =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: "
    "close\r\n\r\n";

// Programs that this process starts must not inherit its sockets; Asio leaves that open.
void close_on_exec(int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

// One open connection in the server's counts, for as long as it lives.
class Ticket {
 public:
  Ticket(std::shared_ptr<ServerCore> core, Gauge& gauge) : core_(std::move(core)), gauge_(&gauge) {
    core_->enter();
    core_->connections.fetch_add(1, std::memory_order_relaxed);
    gauge_->add(1);
  }
  ~Ticket() {
    if (core_ == nullptr) return;
    gauge_->add(-1);
    core_->connections.fetch_sub(1, std::memory_order_relaxed);
    core_->leave();
  }
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = delete;

 private:
  std::shared_ptr<ServerCore> core_;
  Gauge* gauge_;
};

asio::awaitable<void> serve(std::shared_ptr<Shard> shard, std::unique_ptr<Transport> transport,
                            Connection facts, GroupSet groups) {
  const auto connection = std::make_shared<HttpConnection>(std::move(shard), std::move(transport),
                                                           std::move(facts), groups);
  co_await connection->run();
}

void describe_peer(const tcp::endpoint& peer, Connection& facts) {
  asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  facts.peer_address = address.to_string();
  facts.peer_port = peer.port();
  facts.peer_is_loopback = address.is_loopback();
}

void describe_peer(const Local::endpoint&, Connection& facts) {
  facts.peer_address = "unix";
  facts.peer_is_loopback = true;
}

// The accepted connection's coroutine, on its shard's thread.
asio::awaitable<void> greet(std::shared_ptr<Shard> shard, Local::socket socket, Connection facts,
                            GroupSet groups, TlsServerContext*, Ticket) {
  auto transport = make_unix_transport(std::move(socket));
  co_await serve(std::move(shard), std::move(transport), std::move(facts), groups);
}

asio::awaitable<void> greet(std::shared_ptr<Shard> shard, tcp::socket socket, Connection facts,
                            GroupSet groups, TlsServerContext* tls, Ticket) {
  if (tls == nullptr) {
    auto transport = make_tcp_transport(std::move(socket));
    co_return co_await serve(std::move(shard), std::move(transport), std::move(facts), groups);
  }
  auto accepted =
      co_await accept_tls(std::move(socket), tls->current(), shard->limits.header_timeout);
  if (!accepted) {
    shard->core().count_refusal(Refusal::kHandshake);
    shard->core().log.debug("TLS handshake failed",
                            {{"peer", facts.peer_address}, {"error", accepted.error().message}});
    co_return;
  }
  facts.tls = true;
  facts.client_certificate = std::move(accepted->client_subject);
  co_await serve(std::move(shard), std::move(accepted->transport), std::move(facts), groups);
}

GroupSet group_set(const std::vector<RouteGroup>& groups) {
  if (groups.empty()) return ~GroupSet{0};
  GroupSet set = 0;
  for (const RouteGroup group : groups) set |= GroupSet{1} << static_cast<unsigned>(group);
  return set;
}

bool out_of_descriptors(const error_code& error) {
  return error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
         error.value() == ENOMEM;
}

template <typename Protocol>
class ProtocolListener final : public Listener,
                               public std::enable_shared_from_this<ProtocolListener<Protocol>> {
 public:
  using Acceptor = typename Protocol::acceptor;
  using Socket = typename Protocol::socket;

  ProtocolListener(Acceptor acceptor, std::string address, const ListenerOptions& options)
      : address_(std::move(address)),
        groups_(group_set(options.groups)),
        tls_(options.tls),
        acceptor_(std::move(acceptor)) {}
  ~ProtocolListener() override { close(); }

  std::string address() const override { return address_; }

  void start(std::shared_ptr<Shard> home, std::vector<std::shared_ptr<Shard>> shards) override {
    close_on_exec(acceptor_.native_handle());
    home_ = std::move(home);
    shards_ = std::move(shards);
    home_->core().enter();
    asio::co_spawn(acceptor_.get_executor(), accept_loop(this->shared_from_this()), asio::detached);
  }

  void close() override {
    if (!acceptor_.is_open()) return;
    error_code ignored;
    acceptor_.close(ignored);
    if constexpr (std::is_same_v<Protocol, Local>)
      ::unlink(address_.c_str() + std::string_view("unix:").size());
  }

 private:
  // The parameter keeps this object alive, in the coroutine's frame.
  asio::awaitable<void> accept_loop(std::shared_ptr<ProtocolListener>) {
    const std::shared_ptr<ServerCore> core = home_->shared_core();
    Gauge& gauge = core->connections_gauge(address_);
    for (size_t turn = 0; acceptor_.is_open(); ++turn) {
      std::shared_ptr<Shard> shard = shards_[turn % shards_.size()];
      Socket socket(shard->context());
      typename Protocol::endpoint peer;
      const auto [error] = co_await acceptor_.async_accept(socket, peer, kAwait);
      if (error) {
        co_await pause_after(error, *core);
      } else if (core->connections.load(std::memory_order_relaxed) >=
                 home_->limits.max_connections) {
        turn_away(std::move(socket), *core);
      } else {
        close_on_exec(socket.native_handle());
        Connection facts;
        facts.listener = address_;
        describe_peer(peer, facts);
        asio::co_spawn(
            shard->context(),
            greet(shard, std::move(socket), std::move(facts), groups_, tls_, Ticket(core, gauge)),
            asio::detached);
      }
    }
    shards_.clear();
    home_.reset();
    core->leave();
  }

  // A connection that broke before it was accepted is nothing; anything else would come again at
  // once.
  asio::awaitable<void> pause_after(const error_code& error, const ServerCore& core) {
    if (error == asio::error::operation_aborted || error == asio::error::connection_aborted)
      co_return;
    const int64_t now_ns = core.clock.monotonic_ns();
    if (last_logged_ns_ == 0 || now_ns - last_logged_ns_ > kAcceptLogEveryNs) {
      last_logged_ns_ = now_ns;
      core.log.error(out_of_descriptors(error)
                         ? "accept: out of descriptors or memory, raise the limit (ulimit -n)"
                         : "accept failed",
                     {{"listener", address_}, {"error", error.message()}});
    }
    asio::steady_timer timer(acceptor_.get_executor(), kAcceptPause);
    co_await timer.async_wait(kAwait);
  }

  // What has been received is read first: a close with unread bytes would reset the answer away.
  void turn_away(Socket socket, ServerCore& core) {
    core.count_refusal(Refusal::kConnections);
    error_code ignored;
    socket.non_blocking(true, ignored);
    std::array<char, 4096> unwanted;
    socket.read_some(asio::buffer(unwanted), ignored);
    if (tls_ == nullptr) socket.write_some(asio::buffer(kTooManyConnections), ignored);
    socket.shutdown(Socket::shutdown_both, ignored);
  }

  // Fixed after construction.
  const std::string address_;
  const GroupSet groups_;
  TlsServerContext* const tls_;

  // Executor only, once started.
  Acceptor acceptor_;
  std::shared_ptr<Shard> home_;
  std::vector<std::shared_ptr<Shard>> shards_;
  int64_t last_logged_ns_ = 0;
};

Unexpected listen_error(const std::string& address, const error_code& error,
                        std::string detail = {}) {
  Error failure = errno_error("listen on " + address, error.value());
  if (error == asio::error::address_in_use) failure.code = Code::kFailedPrecondition;
  failure.message += detail;
  return fail(std::move(failure));
}

Result<std::shared_ptr<Listener>> open_unix(asio::io_context& context,
                                            const ListenerOptions& options,
                                            const std::string& path) {
  const Local::endpoint endpoint(path);
  error_code error;
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return fail(Code::kFailedPrecondition,
                  "listen on " + options.address + ": a file that is no socket is there");
    }
    Local::socket probe(context);
    probe.connect(endpoint, error);
    if (!error) return listen_error(options.address, asio::error::address_in_use);
    ::unlink(path.c_str());  // nobody listens: a server that died left it
  }
  Local::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), error);
  // The mode that bind() gives the file, so that it is at no time more open than this.
  if (!error) ::fchmod(acceptor.native_handle(), 0660);
  if (!error) acceptor.bind(endpoint, error);
  if (!error && ::chmod(path.c_str(), 0660) != 0)
    error = error_code(errno, boost::system::system_category());
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(options.address, error);
  return std::make_shared<ProtocolListener<Local>>(std::move(acceptor), "unix:" + path, options);
}

Result<tcp::endpoint> resolve(asio::io_context& context, const ListenAddress& address,
                              const std::string& text) {
  error_code error;
  if (address.host.empty()) return tcp::endpoint(asio::ip::address_v6::any(), address.port);
  const auto literal = asio::ip::make_address(address.host, error);
  if (!error) return tcp::endpoint(literal, address.port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
  if (error || found.empty()) {
    return fail(Code::kInvalidArgument,
                "listen on " + text + ": the host name is not known (" + error.message() + ")");
  }
  return found.begin()->endpoint();
}

error_code bind_tcp(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

Result<std::shared_ptr<Listener>> open_tcp(asio::io_context& context,
                                           const ListenerOptions& options,
                                           const ListenAddress& address) {
  TRY_ASSIGN(tcp::endpoint endpoint, resolve(context, address, options.address));
  tcp::acceptor acceptor(context);
  error_code error = bind_tcp(acceptor, endpoint);
  if (error.value() == EAFNOSUPPORT && address.host.empty()) {  // a machine without IPv6
    endpoint = tcp::endpoint(asio::ip::address_v4::any(), address.port);
    acceptor = tcp::acceptor(context);
    error = bind_tcp(acceptor, endpoint);
  }
  if (error == asio::error::address_in_use) {
    const std::string owner = port_owner(address.port);
    return listen_error(
        options.address, error,
        (owner.empty() ? "" : ", held by " + owner) + "; stop that one or choose another port");
  }
  if (error) return listen_error(options.address, error);
  endpoint = acceptor.local_endpoint(error);
  if (error) return listen_error(options.address, error);
  std::string bound = format_host_port(endpoint.address().to_string(), endpoint.port());
  return std::make_shared<ProtocolListener<tcp>>(std::move(acceptor), std::move(bound), options);
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::open(asio::io_context& context,
                                                 const ListenerOptions& options) {
  TRY_ASSIGN(const ListenAddress address, ListenAddress::parse(options.address));
  if (!address.unix_path.empty()) return open_unix(context, options, address.unix_path);
  return open_tcp(context, options, address);
}

}  // namespace binnacle::net
