#include "app/server_caller.h"

#include "base/json_parse.h"
#include "base/trailing_slash.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kTimeout{60};

Code code_of_status(int status) {
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
    case 421:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kAlreadyExists;
    case 412:
      return Code::kFailedPrecondition;
    case 429:
      return Code::kResourceExhausted;
    default:
      return Code::kUnavailable;
  }
}

// The server's own words where it sent them: {"error": "..."}, or a text alone as Alertmanager has
// it.
Error refusal(const net::Response& response, const std::string& url) {
  const json body = parse_json(response.body);
  const Code code = code_of_status(response.status);
  if (body.is_string()) return {code, body.get<std::string>()};
  if (body.is_object()) {
    const auto message = body.find("error");
    if (message != body.end() && message->is_string()) return {code, message->get<std::string>()};
  }
  return {code, fmt::format("ask {}: answered {} {}; is it a Binnacle server?", url,
                            response.status, net::status_reason(response.status))};
}

}  // namespace

ServerCaller::ServerCaller(FileSystem& files, std::string url, std::string key)
    : url_(without_trailing_slash(std::move(url))),
      key_(std::move(key)),
      io_(1),
      client_({}, files) {
  io_.start();
}

ServerCaller::~ServerCaller() { io_.stop(); }

Result<json> ServerCaller::get(std::string_view target) {
  return call(net::Method::kGet, target, json());
}

Result<json> ServerCaller::call(net::Method method, std::string_view target, const json& body) {
  net::ClientRequest request{.method = method,
                             .url = url_ + std::string(target),
                             .headers = {},
                             .body = {},
                             .timeout = kTimeout};
  if (!key_.empty()) request.headers.set("Authorization", "Bearer " + key_);
  if (!body.is_null()) {
    request.headers.set("Content-Type", "application/json");
    request.body = body.dump();
  }
  TRY_ASSIGN(const net::Response response, client_.send_blocking(io_, std::move(request)));
  if (response.status < 200 || response.status >= 300) return fail(refusal(response, url_));
  if (response.body.empty()) return json();
  json answer = parse_json(response.body);
  if (!answer.is_discarded()) return answer;
  return fail(Code::kUnavailable,
              fmt::format("ask {}: the answer is not JSON; is it a Binnacle server?", url_));
}

}  // namespace binnacle::app
