// The access token of an OAuth 2 client (RFC 6749, 4.4: client credentials): asked for when it is
// needed, kept until shortly before it ends, asked for anew when the secret's file changed. Any
// thread; one request at a time goes to the token endpoint, the others wait for its outcome.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "net/client.h"
#include "net/http_client_config.h"

namespace binnacle::net {

// The text of a file that holds one secret, without the white space around it. kUnauthenticated
// with the file's name.
Result<std::string> read_secret_file(FileSystem& files, const std::string& path);

class OAuth2Token {
 public:
  OAuth2Token(OAuth2 config, FileSystem& files, const Clock& clock);

  // "Bearer ..." for an Authorization header, within `timeout`. kUnauthenticated when the endpoint
  // refuses.
  boost::asio::awaitable<Result<std::string>> authorization(std::chrono::milliseconds timeout);
  // A peer refused what authorization() gave: the next call asks for another.
  void refused(const std::string& authorization) EXCLUDES(mu_);

 private:
  struct Token {
    std::string authorization;
    std::string secret;      // the one that it was got with
    int64_t ends_at_ms = 0;  // monotonic; 0: never
  };

  // While it lives nobody else asks the endpoint.
  class Fetching {
   public:
    explicit Fetching(OAuth2Token& token) : token_(token) {}
    ~Fetching() EXCLUDES(token_.mu_);
    Fetching(const Fetching&) = delete;
    Fetching& operator=(const Fetching&) = delete;

   private:
    OAuth2Token& token_;
  };

  std::optional<std::string> kept(const std::string& secret) REQUIRES(mu_);
  boost::asio::awaitable<Result<Token>> fetch(const std::string& secret,
                                              std::chrono::milliseconds timeout);
  boost::asio::awaitable<Result<Response>> ask(const std::string& secret, bool in_body,
                                               std::chrono::milliseconds timeout);

  // Fixed after construction
  const OAuth2 config_;
  FileSystem& files_;
  const Clock& clock_;
  Client client_;  // has its own lock

  Mutex mu_;
  Token token_ GUARDED_BY(mu_);
  bool fetching_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::net
