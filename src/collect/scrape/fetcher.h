// How a scrape gets its page: the network's seam, so that tests own it.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "net/client.h"
#include "net/http_client_config.h"

namespace binnacle::collect::scrape {

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Errors as of net::Client::send(). May be cancelled.
  virtual boost::asio::awaitable<Result<net::Response>> fetch(net::ClientRequest request) = 0;
};

// One for each job: it keeps the connections to the job's targets.
using FetcherFactory = std::function<std::shared_ptr<Fetcher>(const net::HttpClientConfig&)>;

// Over HTTP. `files` and `clock` outlive every fetcher.
FetcherFactory http_fetchers(FileSystem& files, const Clock& clock);

}  // namespace binnacle::collect::scrape
