// Targets from an HTTP server (`http_sd_configs`): a JSON list of target groups.
#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_pool.h"
#include "collect/discovery/refresh_source.h"
#include "collect/discovery/source_config.h"
#include "net/http_peer.h"

namespace binnacle::collect::discovery {

inline constexpr size_t kMaxTargetAnswerBytes = size_t{64} << 20;

class HttpRefresher final : public Refresher {
 public:
  // All outlive it.
  HttpRefresher(const HttpSdConfig& config, FileSystem& files, const Clock& clock,
                ThreadPool& pool);

  // kFailedPrecondition for another status than 200 or another type than application/json.
  boost::asio::awaitable<Result<Refreshed>> refresh() override;

 private:
  const std::string url_;
  const std::string source_;  // names the groups: without what is secret in the URL
  const int64_t interval_ms_;
  ThreadPool& pool_;
  net::HttpPeer peer_;
};

}  // namespace binnacle::collect::discovery
