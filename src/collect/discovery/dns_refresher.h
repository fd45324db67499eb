// Targets from name servers (`dns_sd_configs`): one group for each name. A name that cannot be
// looked up keeps its last good targets.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/thread_pool.h"
#include "collect/discovery/refresh_source.h"
#include "collect/discovery/source_config.h"
#include "net/dns_query.h"

namespace binnacle::collect::discovery {

class DnsRefresher final : public Refresher {
 public:
  // Blocks; asked on the pool.
  using Lookup = std::function<Result<std::vector<net::DnsRecord>>(const std::string& name,
                                                                   net::DnsType type)>;

  // `pool` outlives it.
  DnsRefresher(DnsSdConfig config, Lookup lookup, ThreadPool& pool);

  boost::asio::awaitable<Result<Refreshed>> refresh() override;

 private:
  model::TargetGroup group_of(const std::string& name,
                              const std::vector<net::DnsRecord>& records) const;

  const DnsSdConfig config_;
  const net::DnsType type_;
  const Lookup lookup_;
  ThreadPool& pool_;
  std::map<std::string, model::TargetGroup> known_;  // by name; of the refresh that runs
};

}  // namespace binnacle::collect::discovery
