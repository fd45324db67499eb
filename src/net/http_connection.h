// One HTTP/1.1 connection: reads requests, routes and admits them, runs their handlers, writes the
// answers in order. Requests that came together are answered together, in one write. A coroutine on
// one I/O thread for its whole life; a handler on the pool sees the request only while this
// coroutine waits for it. http_connection.cc has the loop, http_exchange.cc what waits in the
// middle of an exchange.
#pragma once

#include "net/channel.h"
#include "net/coding.h"
#include "net/request_body.h"
#include "net/request_parser.h"
#include "net/response_stream.h"
#include "net/shard.h"

#include <functional>
#include <memory>
#include <string>

namespace binnacle::net {

using GroupSet = uint32_t;  // a bit for each RouteGroup

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<Shard> shard, std::unique_ptr<Transport> transport,
                 Connection facts, GroupSet groups);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Serves until the connection ends. The caller holds a reference meanwhile.
  boost::asio::awaitable<void> run();

  void tick(int64_t now_ns) { channel_.tick(now_ns); }
  void drain();
  void cut();

 private:
  enum class Head : uint8_t { kComplete, kUnfinished, kRefused };
  enum class Next : uint8_t {
    kAnswered,
    kSkipBody,
    kHandler,
    kHandlerWithBody,
    kPool,
    kStream,
    kWebSocket
  };

  // http_connection.cc
  Head take_head();
  boost::asio::awaitable<bool> wait_for_bytes();
  void begin_request(size_t head_bytes);
  Next route();
  Next admit(const Route& route);
  Next refuse(Refusal why, Response response);
  Next refuse(Refusal why, int status, Code code, std::string message);
  Response not_routed(const Router::Match& match) const;
  Response call_handler();
  void code_answer(Response& response) const;
  bool wants_pool_coding(const Response& response) const;
  void answer(Response response);  // codes it, then
  void send_answer(Response response);
  void answer_failure(Refusal why, int status, std::string_view reason);
  void end_exchange(int status, uint64_t body_bytes);
  void release_slot();
  void write_access_log(int status, uint64_t body_bytes, double seconds) const;
  bool keeps_alive() const {
    return keep_alive_ && !channel_.failed() && channel_.expired() == Channel::Waiting::kNothing;
  }

  // http_exchange.cc
  boost::asio::awaitable<void> exchange(Next next);
  boost::asio::awaitable<void> handle_whole(bool on_pool);
  enum class PoolRun : uint8_t { kDone, kFull, kLate };
  boost::asio::awaitable<PoolRun> run_on_pool(std::function<void()> work);
  boost::asio::awaitable<PoolRun> run_in_queue(RequestQueue& queue);
  void pool_work_is_over();
  StreamFacts stream_facts();
  boost::asio::awaitable<void> answer_in_pieces();
  boost::asio::awaitable<bool> make_piece(std::string& piece, bool& broken);
  boost::asio::awaitable<void> answer_coded_on_pool(Response response);
  boost::asio::awaitable<void> answer_late();
  boost::asio::awaitable<void> handle_stream();
  void answer_unstarted(const ResponseStream& writer, const RequestBody& body, bool threw);
  boost::asio::awaitable<void> handle_websocket();
  boost::asio::awaitable<void> skip_body(RequestBody& body);
  void answer_body_failure(const RequestBody& body, const Error& error);

  const std::shared_ptr<Shard> shard_;
  ServerCore& core_;
  const Connection facts_;
  const GroupSet groups_;

  // Executor only, but for request_ and response_, which a pool thread uses while run_on_pool()
  // waits.
  Channel channel_;
  RequestParser parser_;
  Wakeup pool_done_;
  Shard::Connections::iterator place_;
  WebSocket* websocket_ = nullptr;
  Transport* websocket_transport_ = nullptr;

  // The exchange at hand.
  Request request_;
  Response response_;
  std::string request_id_;
  std::string large_body_;  // of an answer whose head is in channel_.out
  RouteState* state_ = nullptr;
  Coding body_coding_ = Coding::kIdentity;
  bool holds_slot_ = false;
  bool in_exchange_ = false;
  bool keep_alive_ = true;
  bool pool_finished_ = true;  // false while a pool thread works on the request
  int64_t started_ns_ = 0;
  int64_t ended_ns_ = 0;  // of the exchange before
  uint64_t bytes_in_ = 0;
  size_t compress_from_bytes_ = 0;  // the limit as it was when the request began
};

}  // namespace binnacle::net
