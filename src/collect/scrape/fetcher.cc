#include "collect/scrape/fetcher.h"

#include <chrono>
#include <utility>

#include "net/http_peer.h"

namespace binnacle::collect::scrape {
namespace {

net::ClientOptions scrape_limits() {
  net::ClientOptions limits;
  limits.max_idle_per_host = 2;
  // Connections outlive the longest intervals that are common; the scrape's own timeout covers the
  // dialling.
  limits.idle_timeout = std::chrono::minutes(5);
  limits.connect_timeout = std::chrono::minutes(10);
  return limits;
}

class HttpFetcher final : public Fetcher {
 public:
  HttpFetcher(const net::HttpClientConfig& config, FileSystem& files, const Clock& clock)
      : peer_(config, files, clock, scrape_limits()) {}

  boost::asio::awaitable<Result<net::Response>> fetch(net::ClientRequest request) override {
    return peer_.send(std::move(request));
  }

 private:
  net::HttpPeer peer_;
};

}  // namespace

FetcherFactory http_fetchers(FileSystem& files, const Clock& clock) {
  return [&files, &clock](const net::HttpClientConfig& config) {
    return std::make_shared<HttpFetcher>(config, files, clock);
  };
}

}  // namespace binnacle::collect::scrape
