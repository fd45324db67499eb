#include "app/key_desk.h"
#include "app/server_caller.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;

constexpr std::string_view kKeys = "/api/binnacle/v1/keys";
constexpr std::string_view kJoinTokens = "/api/binnacle/v1/join-tokens";

class RemoteKeyDesk final : public KeyDesk {
 public:
  RemoteKeyDesk(FileSystem& files, std::string url, std::string key)
      : server_(files, std::move(url), std::move(key)) {}

  Result<json> create(const json& key) override {
    return server_.call(net::Method::kPost, kKeys, key);
  }
  Result<json> list() override { return server_.get(kKeys); }

  Status revoke(const std::string& id) override {
    TRY(server_.call(net::Method::kDelete, fmt::format("{}/{}", kKeys, net::percent_encode(id)),
                     {}));
    return {};
  }

  Result<json> rotate(const std::string& id, int64_t overlap_s) override {
    return server_.call(net::Method::kPost,
                        fmt::format("{}/{}/rotate", kKeys, net::percent_encode(id)),
                        {{"overlap_seconds", overlap_s}});
  }

  Result<json> join_token(int64_t lifetime_s) override {
    return server_.call(net::Method::kPost, kJoinTokens, {{"expires_in_seconds", lifetime_s}});
  }

 private:
  ServerCaller server_;
};

}  // namespace

std::unique_ptr<KeyDesk> open_remote_key_desk(FileSystem& files, std::string url, std::string key) {
  return std::make_unique<RemoteKeyDesk>(files, std::move(url), std::move(key));
}

}  // namespace binnacle::app
