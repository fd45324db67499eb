// A Client that speaks as an HttpClientConfig says: adds credentials (read from their files for
// each request), the configured headers, an OAuth 2 token (fetched, kept until shortly before it
// ends), follows redirects where told to, goes through the proxy. What it adds is for the URL's own
// origin: a redirect to another one is followed without it. Threads and lifetime as of Client.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "net/client.h"
#include "net/http_client_config.h"

namespace binnacle::net {

class HttpPeer {
 public:
  // `files` and `clock` outlive it. Of `limits` the TLS and proxy settings are the config's.
  HttpPeer(HttpClientConfig config, FileSystem& files, const Clock& clock,
           ClientOptions limits = {});
  ~HttpPeer();
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  // Errors as of Client::send(); kUnauthenticated, too, when a credentials file cannot be read
  // (named) or the token endpoint refuses.
  boost::asio::awaitable<Result<Response>> send(ClientRequest request);
  boost::asio::awaitable<Result<std::unique_ptr<ClientStream>>> open(ClientRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
