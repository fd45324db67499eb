#include "net/connection_pool.h"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

const void* context_of(const asio::any_io_executor& executor) {
  return &asio::query(executor, asio::execution::context);
}

}  // namespace

ConnectionPool::ConnectionPool(size_t max_idle_per_host, size_t max_in_use_per_host,
                               std::chrono::milliseconds idle_timeout)
    : max_idle_per_host_(max_idle_per_host),
      max_in_use_per_host_(max_in_use_per_host),
      idle_timeout_(idle_timeout) {}

ConnectionPool::~ConnectionPool() = default;

Result<std::unique_ptr<ConnectionPool::Lease>> ConnectionPool::enter(const std::string& origin) {
  const MutexLock lock(mu_);
  Origin& host = origins_[origin];
  if (host.in_use >= max_in_use_per_host_) {
    return fail(Code::kResourceExhausted, "connections to " + origin +
                                              ": all in use, max_connections_per_host (" +
                                              std::to_string(max_in_use_per_host_) + ")");
  }
  ++host.in_use;
  return std::make_unique<Lease>(shared_from_this(), origin);
}

void ConnectionPool::leave(const std::string& origin) {
  const MutexLock lock(mu_);
  const auto at = origins_.find(origin);
  if (--at->second.in_use == 0 && at->second.kept.empty()) origins_.erase(at);
}

std::unique_ptr<Transport> ConnectionPool::take(const std::string& origin,
                                                const asio::any_io_executor& executor) {
  const MutexLock lock(mu_);
  auto& kept = origins_[origin].kept;
  for (auto it = kept.begin(); it != kept.end();) {
    if (context_of(it->transport->executor()) != context_of(executor)) {
      ++it;
      continue;
    }
    std::unique_ptr<Transport> transport = std::move(it->transport);
    it = kept.erase(it);
    if (transport->is_quiet()) return transport;
  }
  return nullptr;
}

void ConnectionPool::keep(const std::string& origin, std::unique_ptr<Transport> transport) {
  if (max_idle_per_host_ == 0 || !transport->is_quiet()) return;
  auto timer = std::make_unique<asio::steady_timer>(transport->executor(), idle_timeout_);
  const MutexLock lock(mu_);
  auto& kept = origins_[origin].kept;
  // A connection of another io_context must die on that one's thread, so the newcomer gives way.
  if (kept.size() >= max_idle_per_host_) return;
  const uint64_t id = next_id_++;
  timer->async_wait([weak = weak_from_this(), origin, id](boost::system::error_code cancelled) {
    if (cancelled) return;
    if (const auto pool = weak.lock()) pool->end_idle(origin, id);
  });
  kept.push_front({id, std::move(transport), std::move(timer)});
}

void ConnectionPool::end_idle(const std::string& origin, uint64_t id) {
  const MutexLock lock(mu_);
  const auto at = origins_.find(origin);
  if (at == origins_.end()) return;
  at->second.kept.remove_if([id](const Kept& one) { return one.id == id; });
  if (at->second.in_use == 0 && at->second.kept.empty()) origins_.erase(at);
}

}  // namespace binnacle::net
