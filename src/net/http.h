// HTTP as handlers see it: a request to read, a response to fill. No sockets and no Asio here.
// A Request and everything it views is valid until its handler (or coroutine) returns.
#pragma once

#include "base/error.h"
#include "base/identity.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::net {

enum class Method : uint8_t { kGet, kHead, kPost, kPut, kDelete, kPatch, kOptions, kOther };
std::string_view method_name(Method method);
Method method_from_name(std::string_view name);

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);

// Names compare without case. Order is kept; a name may stand more than once.
class Headers {
 public:
  std::string_view get(std::string_view name) const;  // the first; "" when absent
  bool has(std::string_view name) const;
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all of that name
  void remove(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Decoded `a=1&b=2` of a query string or a form body; order is kept.
class Params {
 public:
  static Params parse(std::string_view encoded);      // a broken %-escape is taken literally
  std::string_view get(std::string_view name) const;  // the first; "" when absent
  bool has(std::string_view name) const;
  std::vector<std::string_view> all(std::string_view name) const;
  void append(Params more);
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

std::string percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);  // everything but unreserved characters

// The connection a request came on; one for all its requests.
struct Connection {
  std::string peer_address;  // "127.0.0.1"; "unix" for a Unix socket
  uint16_t peer_port = 0;
  bool peer_is_loopback = false;
  bool tls = false;
  std::string client_certificate;  // subject of a verified client certificate; empty: none
  std::string listener;            // the listen entry's address, "127.0.0.1:8080"
};

struct Request {
  Method method = Method::kGet;
  std::string_view target;  // as sent: "/a%20b?x=1"
  std::string_view path;    // before '?', as sent
  std::string_view query;   // after '?'
  std::span<const HeaderView> headers;
  std::string_view body;  // whole, content coding removed; empty for streamed routes
  const Connection* connection = nullptr;
  Identity identity;            // set by the Guard
  std::string_view request_id;  // of X-Request-Id, or made
  // Turns true once the peer has gone and nobody waits for the answer; null where nobody looks (see
  // Route::queue).
  const std::atomic<bool>* cancelled = nullptr;
  // Decoded values of the pattern's {names}, in order.
  std::vector<std::pair<std::string_view, std::string>> path_params;

  std::string_view header(std::string_view name) const;      // the first; "" when absent
  std::string_view path_param(std::string_view name) const;  // "" when absent
  // Query parameters, then those of an application/x-www-form-urlencoded body.
  Params params() const;
  std::optional<std::string> cookie(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // Of a Handler on the pool. Set: `body` is only the beginning. Each call replaces `piece` by what
  // follows; false when nothing does. Called on the pool, one call at a time, as fast as the peer
  // takes the pieces, so that a large answer is never whole in memory. An error
  // is logged and cuts the answer short.
  std::function<Result<bool>(std::string& piece)> next_piece;

  static Response text(int status, std::string body);   // text/plain; charset=utf-8
  static Response json(int status, std::string body);   // application/json
  static Response redirect(std::string_view location);  // 303
  // {"error": message, "code": "not_found"} with the code's HTTP status.
  static Response error(const Error& error);
};

std::string_view status_reason(int status);      // "Not Found"
std::string escape_json(std::string_view text);  // without quotes; broken UTF-8 becomes U+FFFD

}  // namespace binnacle::net
