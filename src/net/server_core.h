// What all connections of one server share: the table of routes with its counts, and what they
// refer to. Held by every connection and accept loop, so that it outlives them. Any thread, except
// where a line says otherwise.
#pragma once

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "net/router.h"
#include "net/server.h"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace binnacle::net {

// What the server knows of one route while it runs.
struct RouteState {
  const Route* route = nullptr;  // null: requests that match none
  std::string label;             // the pattern, or "unmatched"
  size_t index = 0;              // in ServerCore::routes()
  std::atomic<size_t> in_flight{0};
  Gauge* in_flight_gauge = nullptr;
  Histogram* seconds = nullptr;
};

// Why a request or a connection was turned away; binnacle_http_refusals_total{reason}.
enum class Refusal : uint8_t {
  kMalformed,
  kTooLarge,
  kTooSlow,
  kNotFound,
  kMethod,
  kGuard,
  kRouteBusy,
  kPoolFull,
  kTimeout,
  kConnections,
  kHandshake,
};
inline constexpr size_t kRefusals = 11;

class ServerCore {
 public:
  ServerCore(const Router& router, Guard* guard, ThreadPool& pool, Registry& registry,
             const Clock& clock);

  RouteState& state_of(const Route* route);  // null: the state of what matches none
  size_t route_count() const { return routes_.size(); }
  Counter& requests_counter(const RouteState& state, Method method,
                            int status);  // takes a lock: keep the reference
  Gauge& connections_gauge(const std::string& listener);
  void count_refusal(Refusal why) { refusals_[static_cast<size_t>(why)]->add(); }

  // Connections and accept loops that still run.
  void enter() EXCLUDES(mu_);
  void leave() EXCLUDES(mu_);
  bool wait_until_empty(std::chrono::milliseconds time) EXCLUDES(mu_);

  // Fixed after construction.
  const Router& router;
  Guard* const guard;
  ThreadPool& pool;
  const Clock& clock;
  const Log log{"net"};
  const Log access{"access"};

  std::atomic<bool> draining{false};
  std::atomic<bool> access_log{false};
  std::atomic<size_t> connections{0};

 private:
  // Fixed after construction.
  Registry& registry_;
  std::vector<std::unique_ptr<RouteState>> routes_;
  std::unordered_map<const Route*, RouteState*> by_route_;
  std::array<Counter*, kRefusals> refusals_{};

  Mutex mu_;
  CondVar left_;
  size_t running_ GUARDED_BY(mu_) = 0;
};

}  // namespace binnacle::net
