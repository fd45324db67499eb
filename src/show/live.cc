#include "show/live.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>

#include <fmt/format.h>

#include "net/websocket.h"
#include "query/promql/engine.h"
#include "show/live_protocol.h"

namespace binnacle::show {
namespace {

namespace asio = boost::asio;
using query::promql::QueryAnswer;
using query::promql::QueryLimits;
using query::promql::Steps;
using Answer = Result<QueryAnswer>;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// Samples of a step arrive a little after it; asking at once would always show the step before.
constexpr int64_t kSettleMs = 50;

struct Instruments {
  explicit Instruments(Registry& registry)
      : sockets(registry.gauge("binnacle_live_sockets", "Open /ws sockets.")),
        subscriptions(
            registry.gauge("binnacle_live_subscriptions", "Subscriptions of all /ws sockets.")),
        messages(registry.counter("binnacle_live_messages_total", "Messages sent over /ws.")),
        bytes(registry.counter("binnacle_live_bytes_total",
                               "Bytes of messages sent over /ws, before compression.")) {}

  Gauge& sockets;
  Gauge& subscriptions;
  Counter& messages;
  Counter& bytes;
};

struct Shared {
  explicit Shared(LiveDeps d) : deps(std::move(d)), instruments(deps.registry) {}
  const LiveDeps deps;
  Instruments instruments;
};

// Counts a thing for as long as it lives.
class GaugeHold {
 public:
  explicit GaugeHold(Gauge& gauge) : gauge_(gauge) { gauge_.add(1); }
  ~GaugeHold() { gauge_.add(-1); }
  GaugeHold(const GaugeHold&) = delete;
  GaugeHold& operator=(const GaugeHold&) = delete;

 private:
  Gauge& gauge_;
};

struct Subscription {
  Subscription(LiveRequest r, Gauge& gauge)
      : request(std::move(r)), series(request.id), hold(gauge) {}

  const LiveRequest request;
  LiveSeries series;
  bool begun = false;   // the snapshot was sent
  int64_t next_ms = 0;  // the step to send next
  GaugeHold hold;
};

// Everything here runs on the socket's executor, but for the queries.
class LiveSession {
 public:
  LiveSession(Shared& shared, net::WebSocket& socket, asio::any_io_executor executor)
      : shared_(shared), socket_(socket), hold_(shared.instruments.sockets), wake_(executor) {}

  asio::awaitable<void> run() {
    using namespace asio::experimental::awaitable_operators;
    co_await (read_loop() || write_loop());
  }

 private:
  const LiveDeps& deps() const { return shared_.deps; }

  asio::awaitable<void> read_loop() {
    for (;;) {
      const auto message = co_await socket_.read();
      if (!message) co_return;
      handle(message->data);
      wake_.cancel();
    }
  }

  LiveBounds bounds() const {
    const QueryLimits limits = deps().limits();
    return {.max_points = limits.max_points, .experimental = limits.experimental};
  }

  void handle(std::string_view text) {
    std::string id;
    auto request = parse_live_request(text, bounds(), id);
    if (!request) {
      owed_errors_.push_back(live_error(id, request.error().message));
    } else if (request->op == LiveRequest::Op::kUnsubscribe) {
      subscriptions_.erase(request->id);
    } else if (subscriptions_.size() >= kMaxLiveSubscriptions &&
               !subscriptions_.contains(request->id)) {
      owed_errors_.push_back(
          live_error(id, fmt::format("subscribe: {} subscriptions are the most of one socket",
                                     kMaxLiveSubscriptions)));
    } else {
      subscriptions_.insert_or_assign(
          id,
          std::make_shared<Subscription>(std::move(*request), shared_.instruments.subscriptions));
    }
    // A client that floods bad messages gets the newest answers, not a growing heap.
    if (owed_errors_.size() > kMaxLiveSubscriptions) owed_errors_.erase(owed_errors_.begin());
  }

  asio::awaitable<void> write_loop() {
    if (!co_await send(live_hello(deps().version, deps().boot_id, deps().clock.wall_ms())))
      co_return;
    for (;;) {
      while (!owed_errors_.empty()) {
        const std::string error = std::move(owed_errors_.front());
        owed_errors_.erase(owed_errors_.begin());
        if (!co_await send(error)) co_return;
      }
      // A copy: a subscription may be replaced or removed while its query runs.
      const auto round = subscriptions_;
      for (const auto& [id, subscription] : round) {
        if (!co_await serve(id, subscription)) co_return;
      }
      if (owed_errors_.empty()) co_await wait();
    }
  }

  // Sends what is due to one subscription. False when the socket is gone.
  asio::awaitable<bool> serve(std::string id, std::shared_ptr<Subscription> subscription) {
    const int64_t step_ms = subscription->request.step_ms;
    const int64_t newest_ms = (deps().clock.wall_ms() - kSettleMs) / step_ms * step_ms;
    if (subscription->next_ms > newest_ms) co_return true;
    const bool snapshot = !subscription->begun;
    const int64_t start_ms =
        snapshot ? newest_ms - subscription->request.range_ms / step_ms * step_ms : newest_ms;
    const Steps steps{start_ms, newest_ms, step_ms};
    const Answer answer = co_await query(subscription, steps);
    const auto current = subscriptions_.find(id);
    if (current == subscriptions_.end() || current->second != subscription) co_return true;
    // Steps missed by a slow round or a full pool are skipped: the page draws a gap, not a backlog.
    subscription->next_ms = newest_ms + step_ms;
    if (!answer && answer.error().code == Code::kUnavailable) co_return true;
    if (!answer) {
      subscriptions_.erase(current);
      co_return co_await send(live_error(id, answer.error().message));
    }
    subscription->begun = true;
    co_return co_await send(snapshot ? subscription->series.snapshot(answer->rows, steps)
                                     : subscription->series.delta(answer->rows, newest_ms));
  }

  asio::awaitable<Answer> query(std::shared_ptr<Subscription> subscription, Steps steps) {
    QueryLimits limits = deps().limits();
    if (subscription->request.lookback_ms != 0)
      limits.lookback_ms = subscription->request.lookback_ms;
    const auto executor = co_await asio::this_coro::executor;
    auto answer = std::make_shared<Answer>();
    asio::steady_timer done(executor, asio::steady_timer::time_point::max());
    const Status posted =
        deps().pool.post([this, subscription, steps, limits, answer, executor, &done] {
          const LiveRequest& request = subscription->request;
          *answer = query::promql::evaluate(deps().store, *request.expr, {request.query, steps},
                                            limits, deps().clock);
          asio::post(executor, [&done] { done.cancel(); });
        });
    if (!posted) co_return fail(Code::kUnavailable, posted.error().message);
    // The pool holds a reference to `done`: cancellation of this coroutine must not end the wait
    // early.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await done.async_wait(kAwait);
    co_await asio::this_coro::reset_cancellation_state();
    co_return std::move(*answer);
  }

  asio::awaitable<void> wait() {
    const int64_t now_ms = deps().clock.wall_ms();
    int64_t wait_ms = 60'000;
    for (const auto& [id, subscription] : subscriptions_) {
      wait_ms = std::min(wait_ms, std::max<int64_t>(1, subscription->next_ms + kSettleMs - now_ms));
    }
    wake_.expires_after(std::chrono::milliseconds(wait_ms));
    co_await wake_.async_wait(kAwait);
  }

  asio::awaitable<bool> send(std::string text) {
    shared_.instruments.messages.add();
    shared_.instruments.bytes.add(static_cast<double>(text.size()));
    co_return (co_await socket_.write_text(text)).has_value();
  }

  Shared& shared_;
  net::WebSocket& socket_;
  GaugeHold hold_;
  asio::steady_timer wake_;
  std::map<std::string, std::shared_ptr<Subscription>>
      subscriptions_;  // shared with a query that is running
  std::vector<std::string> owed_errors_;
};

}  // namespace

Status register_live(net::Router& router, LiveDeps deps) {
  auto shared = std::make_shared<Shared>(std::move(deps));  // by the handler's copies
  net::Route route;
  route.method = net::Method::kGet;
  route.pattern = "/ws";
  route.group = net::RouteGroup::kPage;
  route.role = Role::kViewer;
  route.handler = net::WebSocketHandler(
      [shared](const net::Request&, net::WebSocket& socket) -> asio::awaitable<void> {
        LiveSession session(*shared, socket, co_await asio::this_coro::executor);
        co_await session.run();
      });
  return router.add(std::move(route));
}

}  // namespace binnacle::show
