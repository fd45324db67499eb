#include "collect/discovery/dns_refresher.h"

#include "net/run_on_pool.h"

namespace binnacle::collect::discovery {
namespace {

net::DnsType type_of(const std::string& name) {
  if (name == "A") return net::DnsType::kA;
  if (name == "AAAA") return net::DnsType::kAaaa;
  if (name == "MX") return net::DnsType::kMx;
  if (name == "NS") return net::DnsType::kNs;
  return net::DnsType::kSrv;
}

std::string host_port(const std::string& host, uint16_t port) {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

DnsRefresher::DnsRefresher(DnsSdConfig config, Lookup lookup, ThreadPool& pool)
    : config_(std::move(config)),
      type_(type_of(config_.type)),
      lookup_(std::move(lookup)),
      pool_(pool) {}

boost::asio::awaitable<Result<Refreshed>> DnsRefresher::refresh() {
  Refreshed found;
  for (const std::string& name : config_.names) {
    Result<std::vector<net::DnsRecord>> records;
    const Status ran = co_await net::run_on_pool(pool_, [&] { records = lookup_(name, type_); });
    if (!ran) co_return fail(ran.error());
    if (records) {
      known_.insert_or_assign(name, group_of(name, *records));
    } else if (!found.problem) {
      found.problem = records.error();
    }
    if (const auto known = known_.find(name); known != known_.end()) {
      found.groups.push_back(known->second);
    }
  }
  co_return found;
}

model::TargetGroup DnsRefresher::group_of(const std::string& name,
                                          const std::vector<net::DnsRecord>& records) const {
  model::TargetGroup group{.source = name, .targets = {}, .labels = {}};
  for (const net::DnsRecord& record : records) {
    const bool is_srv = type_ == net::DnsType::kSrv;
    model::LabelsBuilder labels;
    labels.set("__address__", host_port(record.value, is_srv ? record.port : config_.port));
    labels.set("__meta_dns_name", name);
    // With the dot at the end of a full name, as Prometheus shows them.
    if (is_srv) {
      labels.set("__meta_dns_srv_record_target", record.value + ".");
      labels.set("__meta_dns_srv_record_port", std::to_string(record.port));
    }
    if (type_ == net::DnsType::kMx) labels.set("__meta_dns_mx_record_target", record.value + ".");
    if (type_ == net::DnsType::kNs) labels.set("__meta_dns_ns_record_target", record.value + ".");
    group.targets.push_back(labels.build());
  }
  return group;
}

}  // namespace binnacle::collect::discovery
