// How a call of Prometheus' API becomes a route: answers in the envelope, errors in Prometheus'
// shape, and heavy calls by turns.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/router.h"
#include "query/promql/query_queue.h"
#include "show/prometheus_json.h"

namespace binnacle::show {

// Lets a route's requests wait for their turn in the queue of queries. Any thread.
class QueryRequests final : public net::RequestQueue {
 public:
  explicit QueryRequests(query::promql::QueryQueue& queue) : queue_(queue) {}
  void post(const net::Request& request, std::function<void(const Status&)> work) override;
  net::Response refusal(const Error& why) const override { return failure(why); }

 private:
  query::promql::QueryQueue& queue_;
};

struct ApiRoute {
  std::string pattern;
  std::vector<net::Method> methods;
  net::RequestQueue* queue = nullptr;  // null: on the server's pool
};
// For viewers.
Status add_api_route(net::Router& router, const ApiRoute& api,
                     std::function<net::Response(const net::Request&)> handler);
Status add_api_call(net::Router& router, const ApiRoute& api,
                    std::function<Result<ApiData>(const net::Request&)> call);

}  // namespace binnacle::show
