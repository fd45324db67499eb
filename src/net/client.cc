#include "net/client.h"

#include "base/mutex.h"
#include "base/random.h"
#include "net/connection_pool.h"
#include "net/dial.h"
#include "net/exchange.h"
#include "net/proxy.h"
#include "net/request_text.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// What send_blocking() waits beyond the exchange's own deadline before it takes the I/O threads for
// stopped.
constexpr milliseconds kBlockingSlack{2000};

bool may_repeat(const ClientRequest& request) {
  if (request.headers.has("Idempotency-Key")) return true;
  return request.method != Method::kPost && request.method != Method::kPatch;
}

// Room for a body of the length that the peer announces, as far as that may be believed: a large
// one that grows by and by is copied over and over.
size_t expected_bytes(const Headers& headers) {
  constexpr size_t kMostBytes = size_t{16} << 20;
  const std::string_view text = headers.get("Content-Length");
  size_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return error == std::errc() && end == text.data() + text.size() ? std::min(bytes, kMostBytes) : 0;
}

bool is_secure(const Url& url) { return url.scheme == "https" || url.scheme == "wss"; }

ProxySettings proxy_settings(const ClientOptions& options) {
  if (!options.proxy_url.empty()) {
    return ProxySettings::fixed(options.proxy_url, options.no_proxy);
  }
  return options.proxy_from_environment ? ProxySettings::from_process() : ProxySettings();
}

// For messages: without the query, which may hold a secret.
std::string described(const ClientRequest& request, const Url& url) {
  return std::string(method_name(request.method)) + " " + url.scheme + "://" + url.authority() +
         url.target.substr(0, url.target.find('?'));
}

class Stream final : public ClientStream {
 public:
  explicit Stream(std::unique_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  int status() const override { return exchange_->status(); }
  const Headers& headers() const override { return exchange_->headers(); }
  std::optional<PeerCertificate> certificate() override { return exchange_->peer_certificate(); }

  asio::awaitable<Result<std::string_view>> read(milliseconds idle) override {
    if (failure_) co_return fail(*failure_);
    Deadline deadline(co_await asio::this_coro::executor, idle, [this] { exchange_->close(); });
    auto piece = co_await exchange_->read_body();
    if (deadline.expired()) {
      piece = fail(Code::kDeadlineExceeded,
                   "response body: nothing came in time (" + std::to_string(idle.count()) + " ms)");
    }
    if (!piece) failure_ = piece.error();
    co_return piece;
  }

 private:
  const std::unique_ptr<Exchange> exchange_;
  std::optional<Error> failure_;  // stays: a body that broke does not end well later
};

}  // namespace

struct Client::Impl {
  Impl(ClientOptions client_options, FileSystem& files)
      : options(std::move(client_options)),
        tls(files, options.tls),
        proxies(proxy_settings(options)),
        pool(std::make_shared<ConnectionPool>(
            options.max_idle_per_host, options.max_connections_per_host, options.idle_timeout)) {}

  struct Way {
    DialPlan plan;
    std::string origin;    // connections with the same one can stand in for each other
    bool proxied = false;  // by absolute-form request, not by tunnel
    std::string proxy_credentials;
  };

  Result<Way> plan_way(const Url& url);
  asio::awaitable<Result<std::unique_ptr<Exchange>>> follow(ClientRequest& request,
                                                            Deadline& deadline);
  asio::awaitable<Result<std::unique_ptr<Exchange>>> start(const ClientRequest& request,
                                                           const Url& url, Deadline& deadline);
  asio::awaitable<Result<Response>> read_all(Exchange& exchange, Deadline& deadline);

  // Fixed after construction
  const ClientOptions options;
  TlsClientContext tls;  // has its own lock
  const ProxySettings proxies;
  const std::shared_ptr<ConnectionPool> pool;  // shared with timers of idle connections
};

Result<Client::Impl::Way> Client::Impl::plan_way(const Url& url) {
  Way way;
  way.plan.connect_to = {url.host, url.port};
  way.plan.unix_socket = options.unix_socket;
  way.origin = url.scheme + "://" + url.host + ":" + std::to_string(url.port);
  if (is_secure(url)) {
    if (!options.unix_socket.empty()) {
      return fail(Code::kInvalidArgument,
                  "TLS over a unix socket is not spoken; use http:// (" + url.scheme + ")");
    }
    way.plan.tls = &tls;
    way.plan.server_name = options.tls.server_name.empty() ? url.host : options.tls.server_name;
  }
  if (!options.unix_socket.empty()) return way;
  TRY_ASSIGN(const auto proxy, proxies.proxy_for(url));
  if (!proxy) return way;
  way.plan.connect_to = {proxy->host, proxy->port};
  if (!proxy->user.empty()) way.proxy_credentials = basic_credentials(proxy->user, proxy->password);
  if (url.scheme == "http") {
    way.proxied = true;
    way.origin = "proxy " + proxy->authority();
  } else {
    way.plan.tunnel_request = connect_request(url, way.proxy_credentials);
  }
  return way;
}

asio::awaitable<Result<std::unique_ptr<Exchange>>> Client::Impl::start(const ClientRequest& request,
                                                                       const Url& url,
                                                                       Deadline& deadline) {
  auto way = plan_way(url);
  if (!way) co_return fail(std::move(way).error());
  const auto head = request_head(request, url, way->proxied, way->proxy_credentials);
  if (!head) co_return fail(head.error());
  auto lease = pool->enter(way->origin);
  if (!lease) co_return fail(std::move(lease).error());

  auto transport = (*lease)->take(co_await asio::this_coro::executor);
  while (true) {
    const bool kept = transport != nullptr;
    if (!kept) {
      auto dialled = co_await dial(way->plan, options.connect_timeout, deadline);
      if (!dialled) co_return fail(std::move(dialled).error());
      transport = std::move(*dialled);
    }
    auto exchange = std::make_unique<Exchange>(
        std::move(transport), std::move(*lease),
        ExchangeLimits{options.max_header_bytes, request.max_body_bytes});
    deadline.on_expiry([&exchange] { exchange->close(); });
    auto answered = co_await exchange->run(*head, request.body, request.method == Method::kHead);
    deadline.on_expiry(nullptr);
    if (answered) co_return exchange;
    if (!kept || exchange->any_bytes_received() || deadline.expired() || !may_repeat(request)) {
      co_return fail(std::move(answered).error());
    }
    *lease = exchange->take_lease();
  }
}

asio::awaitable<Result<std::unique_ptr<Exchange>>> Client::Impl::follow(ClientRequest& request,
                                                                        Deadline& deadline) {
  auto url = Url::parse(request.url);
  if (!url) co_return fail(std::move(url).error());
  for (int redirects = 0;; ++redirects) {
    auto exchange = co_await start(request, *url, deadline);
    if (!exchange) {
      Error error = std::move(exchange).error();
      if (deadline.expired()) {
        error = {Code::kDeadlineExceeded,
                 "no answer in time (" + std::to_string(request.timeout.count()) + " ms)"};
      }
      co_return fail(std::move(error).with_context(described(request, *url)));
    }
    if (request.max_redirects == 0 || !is_redirect((*exchange)->status(), (*exchange)->headers()))
      co_return exchange;
    if (redirects == request.max_redirects) {
      co_return fail(Code::kFailedPrecondition, described(request, *url) +
                                                    ": more redirects than allowed (" +
                                                    std::to_string(request.max_redirects) + ")");
    }
    auto next =
        redirect(request, *url, (*exchange)->status(), (*exchange)->headers().get("Location"));
    if (!next) co_return fail(std::move(next).error().with_context(described(request, *url)));
    url = std::move(next);
  }
}

asio::awaitable<Result<Response>> Client::Impl::read_all(Exchange& exchange, Deadline& deadline) {
  deadline.on_expiry([&exchange] { exchange.close(); });
  Response response;
  response.status = exchange.status();
  response.body.reserve(expected_bytes(exchange.headers()));
  while (true) {
    const auto piece = co_await exchange.read_body();
    if (deadline.expired()) {
      co_return fail(Code::kDeadlineExceeded, "response body: not whole in time");
    }
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    response.body.append(*piece);
  }
  deadline.on_expiry(nullptr);
  response.headers = std::move(exchange.headers());
  co_return response;
}

Client::Client(ClientOptions options, FileSystem& files)
    : impl_(std::make_unique<Impl>(std::move(options), files)) {}
Client::~Client() = default;

asio::awaitable<Result<Response>> Client::send(ClientRequest request) {
  Deadline deadline(co_await asio::this_coro::executor, request.timeout);
  auto exchange = co_await impl_->follow(request, deadline);
  if (!exchange) co_return fail(std::move(exchange).error());
  auto response = co_await impl_->read_all(**exchange, deadline);
  deadline.on_expiry(nullptr);
  if (!response) {
    const auto url = Url::parse(request.url);
    co_return fail(std::move(response).error().with_context(described(request, *url)));
  }
  co_return response;
}

asio::awaitable<Result<std::unique_ptr<ClientStream>>> Client::open(ClientRequest request) {
  Deadline deadline(co_await asio::this_coro::executor, request.timeout);
  auto exchange = co_await impl_->follow(request, deadline);
  if (!exchange) co_return fail(std::move(exchange).error());
  co_return std::make_unique<Stream>(std::move(*exchange));
}

asio::awaitable<Result<std::unique_ptr<WebSocket>>> Client::connect_websocket(
    ClientRequest request, WebSocketLimits limits) {
  std::array<char, 16> nonce{};
  SystemRandom().fill(nonce);
  const std::string key = websocket_key({nonce.data(), nonce.size()});
  request.method = Method::kGet;
  request.max_redirects = 0;
  add_websocket_upgrade(request.headers, key);
  if (!limits.offer_compression) request.headers.remove("Sec-WebSocket-Extensions");
  Deadline deadline(co_await asio::this_coro::executor, request.timeout);
  auto exchange = co_await impl_->follow(request, deadline);
  if (!exchange) co_return fail(std::move(exchange).error());
  auto agreed = check_websocket_answer((*exchange)->status(), (*exchange)->headers(), key);
  if (!agreed)
    co_return fail(
        std::move(agreed).error().with_context(request.url.substr(0, request.url.find('?'))));
  const std::string read_ahead = (*exchange)->take_read_ahead();
  co_return make_client_websocket((*exchange)->take_transport(), *agreed, read_ahead, limits);
}

Result<Response> Client::send_blocking(IoThreads& io, ClientRequest request) {
  struct Outcome {
    Mutex mu;
    CondVar changed;
    std::optional<Result<Response>> result GUARDED_BY(mu);
  };
  const auto outcome = std::make_shared<Outcome>();
  int64_t left_ms = (request.timeout + kBlockingSlack).count();
  asio::co_spawn(io.next(), send(std::move(request)),
                 [outcome](const std::exception_ptr&, Result<Response> result) {
                   const MutexLock lock(outcome->mu);
                   outcome->result = std::move(result);
                   outcome->changed.notify_all();
                 });
  const MutexLock lock(outcome->mu);
  constexpr int64_t kStepMs = 500;  // a wake-up before its time does not count
  while (!outcome->result && left_ms > 0) {
    if (!outcome->changed.wait_for_ms(outcome->mu, std::min(left_ms, kStepMs))) left_ms -= kStepMs;
  }
  if (outcome->result) return std::move(*outcome->result);
  return fail(Code::kUnavailable, "HTTP request: the I/O threads do not run");
}

}  // namespace binnacle::net
