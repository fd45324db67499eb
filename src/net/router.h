// The table of routes. A room registers the routes of the data that it owns; each names the role
// that may call it, the group of listeners that serve it, and its limits. Filled before the server
// starts, then fixed.
#pragma once

#include "base/identity.h"
#include "net/http.h"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace binnacle::net {

class BodyReader;      // net/stream_handler.h
class ResponseWriter;  // net/stream_handler.h
class WebSocket;       // net/websocket.h

// Which listeners serve a route: server.listen[].groups.
enum class RouteGroup : uint8_t { kPage, kApi, kIngest, kGateway, kLink, kProbes };
inline constexpr size_t kRouteGroups = 6;
std::string_view route_group_name(RouteGroup group);  // "page"
Result<RouteGroup> route_group_from_name(std::string_view name);

// Whole request in, whole response out.
using Handler = std::function<Response(const Request&)>;
// Body read and answer written piece by piece, with back-pressure both ways; runs on the I/O
// thread.
using StreamHandler =
    std::function<boost::asio::awaitable<void>(const Request&, BodyReader&, ResponseWriter&)>;
using WebSocketHandler = std::function<boost::asio::awaitable<void>(const Request&, WebSocket&)>;

enum class RunOn : uint8_t {
  kIoThread,  // never blocks, under 1 ms: probes, in-memory answers
  kPool,      // the server's thread pool; 503 with Retry-After when its queue is full
};

// Decides when and on which of its own threads the handlers of a route run, where first come, first
// served on the server's pool will not do. Any thread.
class RequestQueue {
 public:
  virtual ~RequestQueue() = default;
  // Calls `work` once: with success when it is the request's turn, else with why that will not
  // come; perhaps before this returns. `request` holds until `work` is over.
  virtual void post(const Request& request, std::function<void(const Status&)> work) = 0;
  // What a request is answered whose turn did not come.
  virtual Response refusal(const Error& why) const = 0;
};

struct RouteLimits {
  size_t max_body_bytes = size_t{1} << 20;  // after content decoding too; 413 beyond
  std::chrono::milliseconds timeout{
      30'000};                   // of the whole exchange but a stream's life; 503 beyond
  size_t max_concurrent = 1024;  // 503 with Retry-After beyond
};

struct Route {
  Method method = Method::kGet;  // a GET route answers HEAD too
  // "/api/v1/label/{name}/values". A parameter takes one segment that is not empty, "{id:int}" only
  // one of digits, a last "{rest...}" all that follows (perhaps nothing).
  std::string pattern;
  RouteGroup group = RouteGroup::kApi;
  std::optional<Role> role = {};  // every route names one; public is a name too
  std::variant<Handler, StreamHandler, WebSocketHandler> handler;
  RunOn run_on = RunOn::kPool;  // of a Handler
  // Set: a Handler runs there instead, and its request tells when the peer has gone. Outlives the
  // server.
  RequestQueue* queue = nullptr;
  RouteLimits limits;
  // The body comes as it was sent, whatever its Content-Encoding: the handler knows a coding that
  // HTTP does not, and its bound.
  bool takes_coded_body = false;
  bool secret_target = false;  // a token stands in the path: the access log shows the pattern alone
  // Of a WebSocketHandler: what the peer sends may be heard up to kReadTurn late where many such
  // connections stand.
  bool hears_in_turns = false;
};

class Router {
 public:
  Router();
  ~Router();

  // kAlreadyExists when method and pattern are taken, kInvalidArgument for a bad pattern or one
  // without a role.
  Status add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: see path_exists
    bool path_exists = false;      // another method would have matched: 405
    std::string allow;             // the methods that would, for the Allow header
  };
  // Fills `params` (decoded). A literal segment wins over {id:int}, that over {name}, that over
  // {rest...}; the less exact is tried when the more exact has no route of that method.
  Match match(Method method, std::string_view path,
              std::vector<std::pair<std::string_view, std::string>>& params) const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Node> root_;
};

// Asked for every request after routing and before its body is read, on the I/O thread: must not
// block.
class Guard {
 public:
  virtual ~Guard() = default;
  // nullopt: go on, `request.identity` is set. Otherwise the refusal to send (401, 403, 421, 429).
  virtual std::optional<Response> admit(Request& request, const Route& route) = 0;
};

}  // namespace binnacle::net
