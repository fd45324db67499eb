// One HTTP exchange as checks make them: a fresh connection, the whole of it in time, at most so
// much of the body. Runs on the caller's I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "net/http_peer.h"
#include "net/peer_certificate.h"
#include "watch/health/checks/kinds.h"

namespace binnacle::watch::health {

struct HttpProbeSettings {
  std::string url;
  net::Method method = net::Method::kGet;
  net::Headers headers;
  std::string body;
  net::HttpClientConfig config;
  int max_redirects = 10;
  uint64_t max_body_bytes = uint64_t{1} << 20;
};

// `url`, `method`, `headers`, `body`, `max_body`, `max_redirects` and the fields of Prometheus'
// http_config. Over the API files with secrets are refused: they would be sent to whom it names.
HttpProbeSettings read_http_probe(YamlMap& map, const KindInput& input);

struct HttpAnswer {
  int status = 0;
  std::string body;
  bool cut = false;  // the body was longer
  double seconds = 0;
  std::optional<net::PeerCertificate> certificate;
};

class HttpProbe {
 public:
  HttpProbe(HttpProbeSettings settings, const CheckTools& tools);
  // Errors as of net::HttpPeer.
  boost::asio::awaitable<Result<HttpAnswer>> run(std::chrono::milliseconds timeout);

 private:
  // Fixed after construction
  const HttpProbeSettings settings_;
  const Clock& clock_;
  net::HttpPeer peer_;
};

}  // namespace binnacle::watch::health
