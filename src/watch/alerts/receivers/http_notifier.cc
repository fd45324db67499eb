#include "watch/alerts/receivers/http_notifier.h"

#include <algorithm>

#include "net/run_on_pool.h"
#include "watch/alerts/alert_limits.h"
#include "watch/alerts/receivers/notification_text.h"

namespace binnacle::watch::alerts {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr size_t kMaxAnswerBytes = 64 * 1024;
// How long the body of an answer that says all in its status is read, so that the connection can be
// kept.
constexpr int64_t kDrainMs = 1'000;
// As many as an integration sends at once unless told otherwise: with fewer, most notifications of
// many groups that come due together would dial first.
constexpr size_t kMaxIdleConnections = AlertLimits{}.max_sends_at_once;
constexpr size_t kMaxConnections = 1'000;  // the most that alerts.max_sends may ask for

net::ClientOptions client_limits() {
  net::ClientOptions out;
  out.max_idle_per_host = kMaxIdleConnections;
  out.max_connections_per_host = kMaxConnections;
  return out;
}

// What the pool works on; owns all that it needs, since nobody may be waiting any more.
struct Preparation {
  std::shared_ptr<const PostService> service;
  Notification notification;
  Result<Post> post;
};

SendOutcome failed(SendOutcome::Kind kind, std::string message) {
  return {.kind = kind, .message = std::move(message)};
}

}  // namespace

struct HttpNotifier::State {
  State(std::shared_ptr<const PostService> told, const net::HttpClientConfig& http,
        int64_t timeout_ms, std::string scope, FileSystem& files, const Clock& time,
        ThreadPool& workers)
      : service(std::move(told)),
        own_timeout_ms(timeout_ms),
        dedup_scope(std::move(scope)),
        clock(time),
        pool(workers),
        peer(http, files, time, client_limits()) {}

  static asio::awaitable<SendOutcome> attempt(std::shared_ptr<State> state, Notification told,
                                              int64_t timeout_ms);
  asio::awaitable<Result<net::Response>> exchange(net::ClientRequest request, int64_t until_ms);

  // Fixed after construction
  const std::shared_ptr<const PostService> service;  // shared with work on the pool
  const int64_t own_timeout_ms;
  const std::string dedup_scope;
  const Clock& clock;
  ThreadPool& pool;
  net::HttpPeer peer;  // has its own lock
};

// A body that breaks off is no error: its beginning and the status are what there is to judge.
asio::awaitable<Result<net::Response>> HttpNotifier::State::exchange(net::ClientRequest request,
                                                                     int64_t until_ms) {
  auto stream = co_await peer.open(std::move(request));
  if (!stream) co_return fail(std::move(stream).error());
  net::Response out;
  out.status = (*stream)->status();
  out.headers = (*stream)->headers();
  if (!service->reads_body()) until_ms = std::min(until_ms, clock.monotonic_ms() + kDrainMs);
  while (out.body.size() < kMaxAnswerBytes) {
    const int64_t left_ms = until_ms - clock.monotonic_ms();
    if (left_ms <= 0) break;
    const auto piece = co_await (*stream)->read(milliseconds(left_ms));
    if (!piece || piece->empty()) break;
    out.body.append(piece->substr(0, kMaxAnswerBytes - out.body.size()));
  }
  co_return out;
}

asio::awaitable<SendOutcome> HttpNotifier::State::attempt(std::shared_ptr<State> state,
                                                          Notification told, int64_t timeout_ms) {
  using Kind = SendOutcome::Kind;
  const int64_t until_ms = state->clock.monotonic_ms() + timeout_ms;
  const std::string dedup = dedup_key(told, state->dedup_scope);
  const auto work = std::make_shared<Preparation>(state->service, std::move(told), Post{});
  const auto done = co_await net::run_on_pool(state->pool, milliseconds(timeout_ms), [work] {
    work->post = work->service->prepare(work->notification);
  });
  if (!done) co_return failed(Kind::kRetry, "prepare the message: " + done.error().message);
  if (!work->post) co_return refusal(work->post.error());

  Post& post = *work->post;
  net::ClientRequest request;
  request.method = net::Method::kPost;
  request.url = post.url;
  request.headers = std::move(post.headers);
  request.headers.set("Content-Type", "application/json");
  // The same notification may come twice, after a crash: who receives it can tell.
  request.headers.set("Idempotency-Key", dedup);
  request.body = std::move(post.body);
  const int64_t left_ms = until_ms - state->clock.monotonic_ms();
  if (left_ms <= 0) co_return failed(Kind::kRetry, "prepare the message: not done in time");
  request.timeout = milliseconds(left_ms);
  const auto response = co_await state->exchange(std::move(request), until_ms);

  SendOutcome out = response ? state->service->judge(*response)
                             : failed(Kind::kRetry, "POST: " + response.error().message);
  if (!response && response.error().code == Code::kInvalidArgument) out.kind = Kind::kFailed;
  out.message = without_secrets(std::move(out.message), post.url, post.secrets);
  co_return out;
}

HttpNotifier::HttpNotifier(std::shared_ptr<const PostService> service,
                           const net::HttpClientConfig& http, int64_t own_timeout_ms,
                           std::string dedup_scope, FileSystem& files, const Clock& clock,
                           ThreadPool& pool)
    : state_(std::make_shared<State>(std::move(service), http, own_timeout_ms,
                                     std::move(dedup_scope), files, clock, pool)) {}

asio::awaitable<SendOutcome> HttpNotifier::send(const Notification& notification,
                                                int64_t timeout_ms) {
  const int64_t own_ms = state_->own_timeout_ms;
  return State::attempt(state_, notification,
                        own_ms > 0 ? std::min(own_ms, timeout_ms) : timeout_ms);
}

}  // namespace binnacle::watch::alerts
