#include "net/shard.h"

#include "net/http_connection.h"
#include "net/response_head.h"

#include <unistd.h>

namespace binnacle::net {

namespace {

// Waits are judged this often: limits are met to within a tenth of a second.
constexpr std::chrono::milliseconds kTick{100};

// So few connections are cheap to hear at once, and nobody waits for a turn.
constexpr size_t kHeardAtOnce = 32;

uint64_t mix(uint64_t x) {  // splitmix64's finalizer
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Shard::Shard(std::shared_ptr<ServerCore> core, boost::asio::io_context& context, size_t index,
             const ServerLimits& limits_in, const WebSocketLimits& websocket_limits_in)
    : limits(limits_in),
      websocket_limits(websocket_limits_in),
      core_(std::move(core)),
      context_(context),
      timer_(context),
      next_id_(mix(static_cast<uint64_t>(core_->clock.wall_ns()) +
                   (static_cast<uint64_t>(getpid()) << 40) + index)),
      counters_(core_->route_count()) {}

Shard::Connections::iterator Shard::add(HttpConnection& connection) {
  refresh_date();
  const auto at = connections_.insert(connections_.end(), &connection);
  if (!armed_) arm();
  return at;
}

Shard::WebSocketPlace::WebSocketPlace(Shard& shard, Connections::iterator connection, bool may_wait)
    : shard_(shard), connection_(connection), may_wait_(may_wait) {
  shard_.websockets_.splice(shard_.websockets_.end(), shard_.connections_, connection_);
  if (may_wait_) in_turns_ = ++shard_.patient_websockets_ > kHeardAtOnce;
}

Shard::WebSocketPlace::~WebSocketPlace() {
  shard_.connections_.splice(shard_.connections_.end(), shard_.websockets_, connection_);
  if (may_wait_) --shard_.patient_websockets_;
}

// The step goes first: a connection may end, and leave the list, by what is done to it.
template <typename Action>
void Shard::for_each(Action action) {
  for (Connections* list : {&connections_, &websockets_}) {
    for (auto at = list->begin(); at != list->end();) action(**at++);
  }
}

void Shard::remove(Connections::iterator connection) { connections_.erase(connection); }

void Shard::arm() {
  armed_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->tick();
  });
}

void Shard::tick() {
  armed_ = false;
  refresh_date();
  const int64_t now_ns = core_->clock.monotonic_ns();
  for (auto at = connections_.begin(); at != connections_.end();) (*at++)->tick(now_ns);
  if (!connections_.empty()) arm();
}

void Shard::refresh_date() {
  const int64_t seconds = core_->clock.wall_ns() / 1'000'000'000;
  if (seconds == date_seconds_) return;
  date_seconds_ = seconds;
  date_line_ = format_date_line(seconds);
}

void Shard::drain() {
  for_each([](HttpConnection& connection) { connection.drain(); });
}

void Shard::cut() {
  for_each([](HttpConnection& connection) { connection.cut(); });
}

std::string_view Shard::make_request_id() {
  static constexpr std::string_view kHex = "0123456789abcdef";
  uint64_t bits = mix(next_id_++);
  request_id_.resize(16);
  for (char& digit : request_id_) {
    digit = kHex[bits & 15];
    bits >>= 4;
  }
  return request_id_;
}

void Shard::count_request(const RouteState& state, Method method, int status) {
  const uint32_t key = static_cast<uint32_t>(status) * 16 + static_cast<uint32_t>(method);
  auto& known = counters_[state.index];
  for (const auto& [at, counter] : known) {
    if (at == key) return counter->add();
  }
  Counter& counter = core_->requests_counter(state, method, status);
  known.emplace_back(key, &counter);
  counter.add();
}

}  // namespace binnacle::net
