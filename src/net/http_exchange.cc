// The exchanges of HttpConnection that wait: for a body, for the pool, for a stream, for a
// WebSocket's end.
#include "net/gathered_reads.h"
#include "net/http_connection.h"
#include "net/response_head.h"
#include "net/response_stream.h"
#include "net/websocket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <exception>

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

constexpr size_t kSkippedBody = 64 * 1024;
constexpr uint16_t kGoingAway = 1001;
constexpr uint16_t kNormalClosure = 1000;

}  // namespace

asio::awaitable<void> HttpConnection::exchange(Next next) {
  if (!channel_.flush_at_once()) co_await channel_.flush();
  if (next == Next::kSkipBody) {
    RequestBody body(channel_, parser_, kSkippedBody, Coding::kIdentity);
    co_await skip_body(body);
  } else if (next == Next::kStream) {
    co_await handle_stream();
  } else if (next == Next::kWebSocket) {
    co_await handle_websocket();
  } else {
    co_await handle_whole(next == Next::kPool);
  }
}

asio::awaitable<void> HttpConnection::skip_body(RequestBody& body) {
  while (keeps_alive()) {
    const auto piece = co_await body.read();
    if (!piece) keep_alive_ = false;
    if (!piece || piece->empty()) co_return;
  }
}

void HttpConnection::answer_body_failure(const RequestBody& body, const Error& error) {
  keep_alive_ = false;
  if (body.failure_status() == 0) return end_exchange(http_status(Code::kCancelled), 0);
  core_.count_refusal(body.failure_status() == 408   ? Refusal::kTooSlow
                      : body.failure_status() == 413 ? Refusal::kTooLarge
                                                     : Refusal::kMalformed);
  Response response = Response::error(error);
  response.status = body.failure_status();
  answer(std::move(response));
}

asio::awaitable<void> HttpConnection::handle_whole(bool on_pool) {
  RequestBody body(channel_, parser_, state_->route->limits.max_body_bytes, body_coding_);
  const auto whole = co_await body.read_all();
  bytes_in_ += body.bytes_received();
  if (!whole) co_return answer_body_failure(body, whole.error());
  request_.body = *whole;
  if (!on_pool) {
    Response response = call_handler();
    if (wants_pool_coding(response)) co_return co_await answer_coded_on_pool(std::move(response));
    co_return answer(std::move(response));
  }
  PoolRun run = PoolRun::kFull;
  if (state_->route->queue != nullptr) {
    channel_.watch(shared_from_this());
    request_.cancelled = &channel_.gone();
    run = co_await run_in_queue(*state_->route->queue);
  } else {
    run = co_await run_on_pool([this] {
      response_ = call_handler();
      code_answer(response_);
    });
  }
  switch (run) {
    case PoolRun::kDone:
      if (response_.next_piece) {
        co_await answer_in_pieces();
      } else {
        send_answer(std::move(response_));
      }
      break;
    case PoolRun::kFull:
      refuse(Refusal::kPoolFull, 503, Code::kUnavailable, "the server is busy: try again");
      break;
    case PoolRun::kLate:
      co_await answer_late();
      break;
  }
}

asio::awaitable<HttpConnection::PoolRun> HttpConnection::run_on_pool(std::function<void()> work) {
  pool_finished_ = false;
  // `this` outlives the work: the coroutine that holds the connection waits until it is over.
  const Status posted = core_.pool.post([this, work = std::move(work)] {
    work();
    pool_work_is_over();
  });
  if (!posted) {
    pool_finished_ = true;
    co_return PoolRun::kFull;
  }
  co_await channel_.wait_for_handler(pool_done_);
  co_return pool_finished_ ? PoolRun::kDone : PoolRun::kLate;
}

void HttpConnection::pool_work_is_over() {
  asio::post(channel_.executor(), [this] {
    pool_finished_ = true;
    pool_done_.notify();
  });
}

asio::awaitable<HttpConnection::PoolRun> HttpConnection::run_in_queue(RequestQueue& queue) {
  pool_finished_ = false;
  // As in run_on_pool(), `this` outlives the work.
  queue.post(request_, [this, &queue](const Status& admitted) {
    response_ = admitted ? call_handler() : queue.refusal(admitted.error());
    code_answer(response_);
    pool_work_is_over();
  });
  co_await channel_.wait_for_handler(pool_done_);
  co_return pool_finished_ ? PoolRun::kDone : PoolRun::kLate;
}

StreamFacts HttpConnection::stream_facts() {
  return {request_.method == Method::kHead,
          parser_.framing().http10,
          keep_alive_,
          request_.request_id,
          &shard_->date_line(),
          request_.header("Accept-Encoding"),
          compress_from_bytes_};
}

asio::awaitable<void> HttpConnection::answer_in_pieces() {
  ResponseStream writer(channel_, core_, stream_facts());
  bool broken = false;
  Status sent = co_await writer.start(response_.status, std::move(response_.headers));
  std::string piece = std::move(response_.body);
  do {
    if (sent) sent = co_await writer.write(piece);
  } while (sent && request_.method != Method::kHead && co_await make_piece(piece, broken));
  response_.next_piece = nullptr;
  keep_alive_ = keep_alive_ && writer.keep_alive() && sent && !broken;
  if (sent && !broken) co_await writer.finish();
  end_exchange(writer.status(), writer.bytes_sent());
}

// False at the end, and when the answer has to be cut.
asio::awaitable<bool> HttpConnection::make_piece(std::string& piece, bool& broken) {
  Result<bool> made = false;
  const auto make = [&] {
    const LogRequestScope scope(request_.request_id);
    made = response_.next_piece(piece);
    if (!made) {
      core_.log.error("an answer was cut short",
                      {{"route", state_->label}, {"error", made.error().message}});
    }
  };
  // Each piece has the time of a whole exchange: how long all of them take is up to the peer.
  channel_.begin_exchange(core_.clock.monotonic_ns() +
                          state_->route->limits.timeout.count() * 1'000'000);
  const PoolRun run = co_await run_on_pool(make);
  if (run == PoolRun::kFull) make();
  while (!pool_finished_) co_await pool_done_.wait();
  broken = !made || run == PoolRun::kLate;
  co_return !broken && *made;
}

// The client is told in time; the request stays as it is until the work on it is over.
asio::awaitable<void> HttpConnection::answer_late() {
  keep_alive_ = false;
  refuse(Refusal::kTimeout, 503, Code::kUnavailable,
         "no answer within " + std::to_string(state_->route->limits.timeout.count()) +
             " ms: try again");
  co_await channel_.flush();
  while (!pool_finished_) co_await pool_done_.wait();
  release_slot();
}

asio::awaitable<void> HttpConnection::answer_coded_on_pool(Response response) {
  response_ = std::move(response);
  const PoolRun run = co_await run_on_pool([this] { code_answer(response_); });
  while (run == PoolRun::kLate && !pool_finished_) co_await pool_done_.wait();
  send_answer(std::move(response_));  // uncoded when the pool is full
}

asio::awaitable<void> HttpConnection::handle_stream() {
  const Route& route = *state_->route;
  RequestBody body(channel_, parser_, route.limits.max_body_bytes, body_coding_);
  ResponseStream writer(channel_, core_, stream_facts());
  channel_.begin_stream();
  body.watch_at_end(shared_from_this());
  bool threw = false;
  try {
    co_await std::get<StreamHandler>(route.handler)(request_, body, writer);
  } catch (const std::exception& error) {
    threw = true;
    core_.log.error("stream handler threw",
                    {{"route", state_->label}, {"error", std::string_view(error.what())}});
  }
  channel_.stream_started();
  bytes_in_ += body.bytes_received();
  if (!writer.started()) {
    answer_unstarted(writer, body, threw);
  } else {
    keep_alive_ = keep_alive_ && writer.keep_alive() && !threw;
    if (!threw)
      co_await writer.finish();  // a body without its end tells the client that it was cut
    end_exchange(writer.status(), writer.bytes_sent());
  }
  if (!parser_.body_done()) co_await skip_body(body);
}

// A stream's handler came back without an answer.
void HttpConnection::answer_unstarted(const ResponseStream& writer, const RequestBody& body,
                                      bool threw) {
  if (body.failure_status() != 0) {
    return answer_body_failure(
        body, Error{Code::kInvalidArgument, "the request's body could not be read"});
  }
  if (channel_.expired() == Channel::Waiting::kHandler) {
    keep_alive_ = false;
    refuse(Refusal::kTimeout, 503, Code::kUnavailable, "no answer in time: try again");
  } else if (!threw && writer.cancelled()) {
    keep_alive_ = false;
    end_exchange(http_status(Code::kCancelled), 0);
  } else {
    answer(Response::error(Error{Code::kInternal, "the request was not answered"}));
  }
}

asio::awaitable<void> HttpConnection::handle_websocket() {
  auto upgrade = answer_websocket_upgrade(request_);
  if (!upgrade) {
    Response response = Response::error(upgrade.error());
    if (upgrade.error().code == Code::kFailedPrecondition) {
      response.status = 426;
      response.headers.add("Sec-WebSocket-Version", "13");
    }
    refuse(Refusal::kMalformed, std::move(response));
    co_return;
  }
  keep_alive_ = false;
  const std::string read_ahead(channel_.in.unread());
  auto transport = channel_.release_transport();
  const Shard::WebSocketPlace standing(*shard_, place_, state_->route->hears_in_turns);
  if (standing.in_turns()) transport = gather_reads(std::move(transport), shard_->context());
  websocket_transport_ = transport.get();
  auto accepted = co_await accept_websocket(std::move(transport), std::move(*upgrade), read_ahead,
                                            shard_->websocket_limits);
  if (accepted) {
    websocket_ = accepted->get();
    try {
      co_await std::get<WebSocketHandler>(state_->route->handler)(request_, *websocket_);
    } catch (const std::exception& error) {
      core_.log.error("WebSocket handler threw",
                      {{"route", state_->label}, {"error", std::string_view(error.what())}});
    }
    const bool draining = core_.draining.load(std::memory_order_relaxed);
    if (!websocket_->closed())
      co_await websocket_->close(draining ? kGoingAway : kNormalClosure, {});
    websocket_ = nullptr;
  }
  websocket_transport_ = nullptr;
  end_exchange(accepted ? 101 : http_status(Code::kCancelled), 0);
}

void HttpConnection::drain() {
  if (channel_.waiting() == Channel::Waiting::kIdle) channel_.close();
  channel_.interrupt();
  if (websocket_ == nullptr || websocket_->closed()) return;
  const auto close = [](std::shared_ptr<HttpConnection> self) -> asio::awaitable<void> {
    if (self->websocket_ != nullptr)
      co_await self->websocket_->close(kGoingAway, "the server is going away");
  };
  asio::co_spawn(channel_.executor(), close(shared_from_this()), asio::detached);
}

void HttpConnection::cut() {
  channel_.close();
  if (websocket_transport_ != nullptr) websocket_transport_->close();
}

}  // namespace binnacle::net
