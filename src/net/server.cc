#include "net/server.h"

#include "base/check.h"
#include "net/listener.h"
#include "net/server_core.h"
#include "net/shard.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kLookInterval{100};
// What a handler that never returns may hold up the end of the process.
constexpr int kMaxCuts = 300;

}  // namespace

// Called by one owner thread; only start() and stop() touch what connections use, by posting.
struct Server::Impl {
  IoThreads& io;
  const Router& router;
  Guard* const guard;
  ThreadPool& pool;
  Registry& registry;
  const Clock& clock;
  ServerLimits limits;
  WebSocketLimits websocket_limits;
  bool access_log = false;
  bool stopped = false;
  std::vector<std::shared_ptr<Listener>>
      listeners;  // the i-th lives on context i modulo their number
  std::vector<std::string> addresses;
  std::shared_ptr<ServerCore> core;  // from start() on: the router is complete then
  std::vector<std::shared_ptr<Shard>> shards;

  // Waits for the connections' end, but not when nobody is left to run them.
  bool wait_until_empty(std::chrono::milliseconds time) {
    for (auto left = time; !core->wait_until_empty(std::min(left, kLookInterval));
         left -= kLookInterval) {
      if (left <= kLookInterval || loops_ended()) return false;
    }
    return true;
  }

  bool loops_ended() const {
    for (size_t i = 0; i < io.size(); ++i) {
      if (!io.context(i).stopped()) return false;
    }
    return true;
  }

  template <typename Work>
  void post_to_shards(Work work) {
    for (const auto& shard : shards) asio::post(shard->context(), [shard, work] { work(*shard); });
  }
};

Server::Server(IoThreads& io, const Router& router, Guard* guard, ThreadPool& pool,
               Registry& registry, const Clock& clock, ServerLimits limits)
    : impl_(new Impl{io,
                     router,
                     guard,
                     pool,
                     registry,
                     clock,
                     limits,
                     {},
                     false,
                     false,
                     {},
                     {},
                     nullptr,
                     {}}) {}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

Status Server::listen(const ListenerOptions& options) {
  CHECK(impl_->core == nullptr);
  const size_t turn = impl_->listeners.size() % impl_->io.size();
  TRY_ASSIGN(auto listener, Listener::open(impl_->io.context(turn), options));
  impl_->addresses.push_back(listener->address());
  impl_->listeners.push_back(std::move(listener));
  return {};
}

void Server::start() {
  Impl& impl = *impl_;
  CHECK(impl.core == nullptr);
  impl.core =
      std::make_shared<ServerCore>(impl.router, impl.guard, impl.pool, impl.registry, impl.clock);
  impl.core->access_log = impl.access_log;
  for (size_t i = 0; i < impl.io.size(); ++i) {
    impl.shards.push_back(std::make_shared<Shard>(impl.core, impl.io.context(i), i, impl.limits,
                                                  impl.websocket_limits));
  }
  for (size_t i = 0; i < impl.listeners.size(); ++i)
    impl.listeners[i]->start(impl.shards[i % impl.shards.size()], impl.shards);
}

void Server::stop(std::chrono::milliseconds grace) {
  Impl& impl = *impl_;
  if (std::exchange(impl.stopped, true)) return;
  if (impl.core == nullptr) {
    for (const auto& listener : impl.listeners) listener->close();
    return;
  }
  impl.core->draining = true;
  for (size_t i = 0; i < impl.listeners.size(); ++i) {
    asio::post(impl.io.context(i % impl.io.size()),
               [listener = impl.listeners[i]] { listener->close(); });
  }
  impl.post_to_shards([](Shard& shard) { shard.drain(); });
  if (impl.wait_until_empty(grace)) return;
  for (int i = 0; i < kMaxCuts && !impl.loops_ended(); ++i) {
    impl.post_to_shards([](Shard& shard) { shard.cut(); });
    if (impl.wait_until_empty(kLookInterval)) return;
  }
  impl.core->log.error("requests are still being handled: gave up waiting for them");
}

std::vector<std::string> Server::addresses() const { return impl_->addresses; }

bool Server::draining() const { return impl_->core != nullptr && impl_->core->draining; }

void Server::set_access_log(bool on) {
  impl_->access_log = on;
  if (impl_->core != nullptr) impl_->core->access_log = on;
}

void Server::set_limits(const ServerLimits& limits) {
  impl_->limits = limits;
  impl_->post_to_shards([limits](Shard& shard) { shard.limits = limits; });
}

void Server::set_websocket_limits(const WebSocketLimits& limits) {
  impl_->websocket_limits = limits;
  impl_->post_to_shards([limits](Shard& shard) { shard.websocket_limits = limits; });
}

}  // namespace binnacle::net
