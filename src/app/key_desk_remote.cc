#include "app/key_desk.h"
#include "net/client.h"
#include "net/io_threads.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;

constexpr std::string_view kKeys = "/api/binnacle/v1/keys";
constexpr std::string_view kJoinTokens = "/api/binnacle/v1/join-tokens";

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

// The server's own words where it sent them.
Error refusal(const net::Response& response, const std::string& url) {
  const json body = json::parse(response.body, nullptr, false);
  const auto message = body.is_object() ? body.find("error") : body.end();
  const bool told = body.is_object() && message != body.end() && message->is_string();
  return {code_of_status(response.status),
          told ? message->get<std::string>()
               : fmt::format("ask {}: answered {} {}; is it a Binnacle server?", url,
                             response.status, net::status_reason(response.status))};
}

class RemoteKeyDesk final : public KeyDesk {
 public:
  RemoteKeyDesk(FileSystem& files, std::string url, std::string key)
      : url_(std::move(url)), key_(std::move(key)), io_(1), client_({}, files) {
    while (url_.ends_with('/')) url_.pop_back();
    io_.start();
  }
  ~RemoteKeyDesk() override { io_.stop(); }

  Result<json> create(const json& key) override { return call(net::Method::kPost, kKeys, key); }
  Result<json> list() override { return call(net::Method::kGet, kKeys, {}); }

  Status revoke(const std::string& id) override {
    TRY(call(net::Method::kDelete, fmt::format("{}/{}", kKeys, net::percent_encode(id)), {}));
    return {};
  }

  Result<json> rotate(const std::string& id, int64_t overlap_s) override {
    return call(net::Method::kPost, fmt::format("{}/{}/rotate", kKeys, net::percent_encode(id)),
                {{"overlap_seconds", overlap_s}});
  }

  Result<json> join_token(int64_t lifetime_s) override {
    return call(net::Method::kPost, kJoinTokens, {{"expires_in_seconds", lifetime_s}});
  }

 private:
  // Null for an answer without a body.
  Result<json> call(net::Method method, std::string_view path, const json& body) {
    net::ClientRequest request{
        .method = method, .url = url_ + std::string(path), .headers = {}, .body = {}};
    if (!key_.empty()) request.headers.set("Authorization", "Bearer " + key_);
    if (!body.is_null()) {
      request.headers.set("Content-Type", "application/json");
      request.body = body.dump();
    }
    TRY_ASSIGN(const net::Response response, client_.send_blocking(io_, std::move(request)));
    if (response.status < 200 || response.status >= 300) return fail(refusal(response, url_));
    if (response.body.empty()) return json();
    json answer = json::parse(response.body, nullptr, false);
    if (!answer.is_discarded()) return answer;
    return fail(Code::kInternal, fmt::format("ask {}: the answer is not JSON; is it a Binnacle "
                                             "server?",
                                             url_));
  }

  std::string url_;
  const std::string key_;
  net::IoThreads io_;
  net::Client client_;
};

}  // namespace

std::unique_ptr<KeyDesk> open_remote_key_desk(FileSystem& files, std::string url, std::string key) {
  return std::make_unique<RemoteKeyDesk>(files, std::move(url), std::move(key));
}

}  // namespace binnacle::app
