#include "net/server_core.h"

namespace binnacle::net {

namespace {

constexpr std::array<std::string_view, kRefusals> kRefusalNames = {
    "malformed",  "too_large", "too_slow", "not_found",   "method",   "guard",
    "route_busy", "pool_full", "timeout",  "connections", "handshake"};

}  // namespace

ServerCore::ServerCore(const Router& router_in, Guard* guard_in, ThreadPool& pool_in,
                       Registry& registry, const Clock& clock_in)
    : router(router_in), guard(guard_in), pool(pool_in), clock(clock_in), registry_(registry) {
  const auto add_state = [&](const Route* route, std::string label) {
    auto state = std::make_unique<RouteState>();
    state->route = route;
    state->index = routes_.size();
    state->in_flight_gauge = &registry.gauge(
        "binnacle_http_requests_in_flight", "HTTP requests being handled now.", {{"route", label}});
    state->seconds =
        &registry.histogram("binnacle_http_request_duration_seconds",
                            "Time from a request's head to its answer, streams to their end.",
                            latency_bounds(), {{"route", label}});
    state->label = std::move(label);
    by_route_[route] = state.get();
    routes_.push_back(std::move(state));
  };
  add_state(nullptr, "unmatched");
  for (const auto& route : router.routes()) add_state(route.get(), route->pattern);
  for (size_t i = 0; i < kRefusals; ++i) {
    refusals_[i] = &registry.counter("binnacle_http_refusals_total",
                                     "HTTP requests and connections turned away.",
                                     {{"reason", std::string(kRefusalNames[i])}});
  }
}

RouteState& ServerCore::state_of(const Route* route) { return *by_route_.at(route); }

Counter& ServerCore::requests_counter(const RouteState& state, Method method, int status) {
  return registry_.counter("binnacle_http_requests_total", "HTTP requests answered.",
                           {{"route", state.label},
                            {"method", std::string(method_name(method))},
                            {"status", std::to_string(status)}});
}

Gauge& ServerCore::connections_gauge(const std::string& listener) {
  return registry_.gauge("binnacle_http_connections", "Open HTTP connections.",
                         {{"listener", listener}});
}

void ServerCore::enter() {
  MutexLock lock(mu_);
  ++running_;
}

void ServerCore::leave() {
  MutexLock lock(mu_);
  if (--running_ == 0) left_.notify_all();
}

bool ServerCore::wait_until_empty(std::chrono::milliseconds time) {
  const int64_t end_ms = SystemClock().monotonic_ms() + time.count();
  MutexLock lock(mu_);
  while (running_ > 0) {
    const int64_t left_ms = end_ms - SystemClock().monotonic_ms();
    if (left_ms <= 0) return false;
    left_.wait_for_ms(mu_, left_ms);
  }
  return true;
}

}  // namespace binnacle::net
