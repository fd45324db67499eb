// One I/O thread's part of a server: its connections, its copy of the limits, and the tick that
// ends waits which last too long. Everything here belongs to that thread; other threads post to
// executor().
#pragma once

#include "net/server_core.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::net {

class HttpConnection;

class Shard : public std::enable_shared_from_this<Shard> {
 public:
  Shard(std::shared_ptr<ServerCore> core, boost::asio::io_context& context, size_t index,
        const ServerLimits& limits, const WebSocketLimits& websocket_limits);

  ServerCore& core() { return *core_; }
  const std::shared_ptr<ServerCore>& shared_core() const { return core_; }
  boost::asio::io_context& context() { return context_; }

  using Connections = std::list<HttpConnection*>;
  Connections::iterator add(HttpConnection& connection);
  void remove(Connections::iterator connection);

  // While it lives, the connection is a WebSocket: it has no waits to be judged by the tick.
  class WebSocketPlace {
   public:
    // `may_wait`: it may be heard late; in_turns() tells whether there are so many that it is.
    WebSocketPlace(Shard& shard, Connections::iterator connection, bool may_wait);
    ~WebSocketPlace();
    WebSocketPlace(const WebSocketPlace&) = delete;
    WebSocketPlace& operator=(const WebSocketPlace&) = delete;
    bool in_turns() const { return in_turns_; }

   private:
    Shard& shard_;
    const Connections::iterator connection_;
    const bool may_wait_;
    bool in_turns_ = false;
  };

  void drain();  // idle connections end now, the others after their answer
  void cut();    // all end now

  const std::string& date_line() const { return date_line_; }  // changes at a tick
  // A new one at each call, valid until the next: 16 hex digits, unlikely to be seen twice in a
  // log.
  std::string_view make_request_id();
  void count_request(const RouteState& state, Method method, int status);

  ServerLimits limits;
  WebSocketLimits websocket_limits;

 private:
  template <typename Action>
  void for_each(Action action);
  void tick();
  void arm();
  void refresh_date();

  const std::shared_ptr<ServerCore> core_;
  boost::asio::io_context& context_;

  // Executor only.
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  Connections connections_;
  Connections websockets_;
  size_t patient_websockets_ = 0;  // that may be heard late
  int64_t date_seconds_ = -1;
  std::string date_line_;
  uint64_t next_id_;
  std::string request_id_;
  // By RouteState::index: the counters of the (method, status) pairs seen, so that counting takes
  // no lock.
  std::vector<std::vector<std::pair<uint32_t, Counter*>>> counters_;
};

}  // namespace binnacle::net
