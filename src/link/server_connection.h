// Drives one agent's session: reads, writes and ticks on the connection's I/O thread. Internal to
// LinkServer.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "link/link_server.h"
#include "net/websocket.h"

namespace binnacle::link {

struct LinkInstruments {
  explicit LinkInstruments(Registry& registry);
  Counter& refused(Refusal refusal) { return *refused_[static_cast<size_t>(refusal)]; }
  Counter& frame_in(const Frame& frame) { return *in_[frame.index()]; }
  Counter& frame_out(const Frame& frame) { return *out_[frame.index()]; }
  Counter& dropped(const std::string& reason);
  Counter& ended(const std::string& reason);

  Registry& registry;
  Gauge& sessions;
  Counter& accepted;

 private:
  std::array<Counter*, kRefusals> refused_{};
  std::array<Counter*, std::variant_size_v<Frame>> in_{};
  std::array<Counter*, std::variant_size_v<Frame>> out_{};
};

class ServerConnection;

// What all connections of one LinkServer share.
class Connections {
 public:
  Connections(const LinkServerOptions& o, const Clock& c, Registry& registry);

  // Runs `work` on the thread of the node's standing connection; kNotFound when it has none.
  Status post(const std::string& node_id, std::function<void(ServerConnection&)> work)
      EXCLUDES(mu_);
  void add(uint64_t session, const std::shared_ptr<ServerConnection>& connection) EXCLUDES(mu_);
  void remove(uint64_t session) EXCLUDES(mu_);
  void close(uint64_t session, std::string reason) EXCLUDES(mu_);
  // Which beats are answered: each one of a small cluster, fewer of many.
  uint64_t answer_each() const { return answer_each_.load(std::memory_order_relaxed); }

  // Fixed once the first connection is there.
  const LinkServerOptions options;
  const Clock& clock;
  const Log log{"link"};
  LinkInstruments instruments;
  std::vector<LinkObserver*> observers;

  NodeTable table;
  std::atomic<uint64_t> next_session{1};
  std::atomic<uint64_t> next_probe{1};

 private:
  std::shared_ptr<ServerConnection> find(uint64_t session) EXCLUDES(mu_);
  void sessions_changed() REQUIRES(mu_);

  std::atomic<uint64_t> answer_each_{1};
  Mutex mu_;
  // Weak: a connection lives as long as its socket's coroutine.
  std::unordered_map<uint64_t, std::weak_ptr<ServerConnection>> by_session_ GUARDED_BY(mu_);
};

class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(Connections& shared, net::WebSocket& socket,
                   boost::asio::any_io_executor executor, std::string peer_address);

  boost::asio::awaitable<void> run();  // until the connection has ended
  const boost::asio::any_io_executor& executor() const { return executor_; }

  // On its thread.
  void happened(SessionEvent event);
  void drain(std::string reason);
  void end(uint16_t code, std::string why, std::string reason, LinkEnd how);

 private:
  boost::asio::awaitable<void> read_loop();
  boost::asio::awaitable<void> write_loop();
  boost::asio::awaitable<void> tick_loop();
  void receive(const net::WebSocket::MessageView& message);
  int64_t arrival(const net::WebSocket::MessageView& message) const;
  void act(session_action::Send& action);
  void act(session_action::Admit& action);
  void act(session_action::Beaten& action);
  void act(session_action::Deliver& action);
  void act(session_action::Drop& action);
  void act(session_action::Close& action);
  void send_at_once();
  size_t next_message();
  void send_peers_when_due();
  void over();

  // Fixed after construction.
  Connections& shared_;
  net::WebSocket& socket_;
  const boost::asio::any_io_executor executor_;
  const std::string peer_address_;
  const uint64_t id_;

  // Executor only.
  ServerSession session_;
  std::optional<model::Node> node_;  // once admitted
  size_t place_ = 0;                 // in the table
  bool wants_peers_ = false;
  uint64_t peers_sent_ = 0;
  int64_t peers_due_ms_ = 0;
  std::deque<Frame> queue_;
  std::string message_;  // kept for its memory
  boost::asio::steady_timer wake_;
  boost::asio::steady_timer tick_timer_;
  int64_t tick_at_ms_ = 0;
  bool tick_moved_ = false;  // the timer was cancelled to be set anew
  struct Ending {
    uint16_t code;
    std::string why;     // a label: "silent"
    std::string reason;  // for people
    LinkEnd how;
  };
  std::optional<Ending> ending_;
};

}  // namespace binnacle::link
