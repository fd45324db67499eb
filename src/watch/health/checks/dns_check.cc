// `dns`: asks a name server for the records of a name.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "net/dns_query.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, 5> kTypes{"A", "AAAA", "SRV", "MX", "NS"};  // of DnsType

std::string text_of(const net::DnsRecord& record, net::DnsType type) {
  return type == net::DnsType::kSrv ? fmt::format("{}:{}", record.value, record.port)
                                    : record.value;
}

class DnsCheck final : public Check {
 public:
  DnsCheck(YamlMap& map, const KindInput& input) : clock_(input.tools.clock) {
    map.read("name", name_);
    if (name_.empty()) map.value().problem("name is missing: what is asked for");
    std::string type = "A";
    map.choice("record", type, kTypes);
    type_ = static_cast<net::DnsType>(std::ranges::find(kTypes, type) - kTypes.begin());
    map.read("server", options_.servers);
    const std::string& servers = options_.servers;
    if (const auto fine = net::check_dns_servers(servers); !servers.empty() && !fine)
      map.field("server")->problem(fine.error().message);
    options_.tries = 1;
    map.read("expect", expect_);
    map.read("exact", exact_);
    if (exact_ && expect_.empty()) map.value().problem("exact needs expect");
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ns = clock_.monotonic_ns();
    net::DnsOptions options = options_;
    options.timeout_ms = static_cast<int>(timeout.count());
    const auto records = co_await net::ask_dns(name_, type_, options, timeout);
    const double took = double(clock_.monotonic_ns() - began_ns) / 1e9;
    if (!records) co_return reading_of(records.error());
    Verdict verdict;
    judge(*records, verdict);
    verdict.judge(latency_, took, fmt::format("took {}", seconds_text(took)));
    co_return verdict.reading(took, "seconds");
  }

 private:
  void judge(const std::vector<net::DnsRecord>& records, Verdict& verdict) const {
    std::vector<std::string> found;
    for (const auto& record : records) found.push_back(text_of(record, type_));
    const std::string_view type = kTypes[static_cast<size_t>(type_)];
    if (found.empty()) {
      return verdict.add(Health::kCritical, fmt::format("{} has no {} records", name_, type));
    }
    for (const std::string& wanted : expect_) {
      if (std::ranges::find(found, wanted) == found.end())
        verdict.add(Health::kCritical, fmt::format("{} is missing", wanted));
    }
    for (const std::string& one : found) {
      if (exact_ && std::ranges::find(expect_, one) == expect_.end())
        verdict.add(Health::kCritical, fmt::format("{} is not expected", one));
    }
    verdict.note(one_line(fmt::format("{} {}: {}", name_, type, fmt::join(found, ", "))));
  }

  // Fixed after construction
  const Clock& clock_;
  std::string name_;
  net::DnsType type_ = net::DnsType::kA;
  net::DnsOptions options_;
  std::vector<std::string> expect_;
  bool exact_ = false;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_dns_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<DnsCheck>(map, input);
}

}  // namespace binnacle::watch::health
