// /ws: one WebSocket per page that carries only the series its charts show. A subscription gets a
// snapshot of its range, then one delta a step. Queries run on the pool, never on the I/O thread; a
// socket that does not read is dropped by its write timeout, so nothing piles up here.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "model/querier.h"
#include "net/router.h"
#include "query/promql/query_meter.h"

namespace binnacle::show {

struct LiveDeps {
  // All outlive the server that runs the route.
  model::Queryable& store;
  const Clock& clock;
  ThreadPool& pool;
  Registry& registry;
  std::function<query::promql::QueryLimits()> limits;  // as they stand now; any thread
  std::string version;
  std::string boot_id;  // of this run: a page that sees another one starts over
};

inline constexpr size_t kMaxLiveSubscriptions = 64;  // of one socket

// Registers GET /ws; counts binnacle_live_sockets, _subscriptions, _messages_total and
// _bytes_total.
Status register_live(net::Router& router, LiveDeps deps);

}  // namespace binnacle::show
