// A connection to a Redis server for as long as one check runs: hiredis reads and writes the
// protocol, net carries the bytes, so that nothing blocks and TLS is ours. One coroutine at a time.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/deadline.h"
#include "net/dial.h"
#include "net/tls.h"
#include "watch/health/checks/address.h"
#include "watch/health/checks/kinds.h"

namespace binnacle::watch::health {

inline constexpr size_t kMaxRedisReplyBytes = size_t{1} << 20;

struct RedisReply {
  enum class Kind : uint8_t { kNothing, kNumber, kText, kList };
  Kind kind = Kind::kNothing;
  int64_t number = 0;
  std::string text;
  std::vector<RedisReply> items;
};

struct RedisSettings {
  net::HostPort address;
  std::string username;
  std::string password;
  std::string password_file;
  int64_t database = 0;
  bool tls = false;
  net::TlsClientOptions tls_options;
};

// `address` (port 6379 by default), `username`, `password`, `password_file`, `database`, `tls`,
// `tls_config`.
RedisSettings read_redis_settings(YamlMap& map, const KindInput& input);

// Makes sessions; outlives them.
class RedisServer {
 public:
  RedisServer(RedisSettings settings, FileSystem& files);

  class Session {
   public:
    Session(std::unique_ptr<net::Transport> transport, net::Deadline& deadline);
    ~Session();
    // An error reply is an error, too: kUnauthenticated (who we are), kPermissionDenied,
    // kUnavailable (it loads its data, or has lost its master), kFailedPrecondition for others.
    boost::asio::awaitable<Result<RedisReply>> command(std::vector<std::string> words);

   private:
    struct Reader;
    const std::unique_ptr<net::Transport> transport_;
    net::Deadline& deadline_;
    const std::unique_ptr<Reader> reader_;
  };
  // Connected, logged in, in the right database. `deadline` outlives the session.
  boost::asio::awaitable<Result<std::unique_ptr<Session>>> connect(
      std::chrono::milliseconds timeout, net::Deadline& deadline);

 private:
  // Fixed after construction
  const RedisSettings settings_;
  FileSystem& files_;
  net::TlsClientContext tls_;  // has its own lock
};

// "redis_version:7.0\r\nrole:master\r\n...": the value of a field of INFO.
std::optional<std::string_view> info_field(std::string_view info, std::string_view name);
std::optional<double> info_number(std::string_view info, std::string_view name);

}  // namespace binnacle::watch::health
