// For tests: calls a registered Handler as the server would, without sockets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/router.h"

namespace binnacle::show {

inline net::Response call_route(const net::Router& router, net::Method method,
                                std::string_view target, std::vector<net::HeaderView> headers = {},
                                std::string_view body = {}) {
  net::Request request;
  request.method = method;
  request.target = target;
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  request.headers = headers;
  request.body = body;
  const net::Router::Match match = router.match(method, request.path, request.path_params);
  if (match.route == nullptr) return net::Response::text(match.path_exists ? 405 : 404, "");
  net::Response response = std::get<net::Handler>(match.route->handler)(request);
  for (std::string piece; response.next_piece;) {
    const auto more = response.next_piece(piece);
    if (!more || !*more) break;
    response.body += piece;
  }
  return response;
}

}  // namespace binnacle::show
