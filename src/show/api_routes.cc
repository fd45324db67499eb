#include "show/api_routes.h"

#include "show/api_params.h"

namespace binnacle::show {
namespace {

// How long queries may take is for query.timeout and query.queue_timeout to say; this is a net
// below both.
constexpr std::chrono::minutes kLongestRequest{60};
constexpr size_t kMaxForm = size_t{4} << 20;  // a query of 1 MiB, percent-encoded

}  // namespace

void QueryRequests::post(const net::Request& request, std::function<void(const Status&)> work) {
  queue_.submit(caller_of(request), [&request, work = std::move(work)](const Status& admitted) {
    const bool gone = request.cancelled != nullptr && *request.cancelled;
    if (admitted && gone) return work(fail(Code::kCancelled, "the caller went away"));
    work(admitted);
  });
}

Status add_api_route(net::Router& router, const ApiRoute& api,
                     std::function<net::Response(const net::Request&)> handler) {
  for (const net::Method method : api.methods) {
    net::Route route;
    route.method = method;
    route.pattern = api.pattern;
    route.group = net::RouteGroup::kApi;
    route.role = Role::kViewer;
    route.queue = api.queue;
    route.limits.max_body_bytes = kMaxForm;
    if (api.queue != nullptr) route.limits.timeout = kLongestRequest;
    route.handler = handler;
    TRY(router.add(std::move(route)));
  }
  return {};
}

Status add_api_call(net::Router& router, const ApiRoute& api,
                    std::function<Result<ApiData>(const net::Request&)> call) {
  return add_api_route(router, api, [call = std::move(call)](const net::Request& request) {
    const auto data = call(request);
    return data ? success(*data) : failure(data.error());
  });
}

}  // namespace binnacle::show
