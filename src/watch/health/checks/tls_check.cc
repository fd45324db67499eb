// `tls`: a handshake, the server's chain and name verified, and how long its certificate lasts.
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "net/deadline.h"
#include "net/dial.h"
#include "net/http_config_yaml.h"
#include "watch/health/checks/address.h"
#include "watch/health/checks/certificate_days.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

net::TlsClientOptions read_tls(YamlMap& map, const KindInput& input) {
  net::TlsClientOptions out;
  if (const auto field = map.field("tls_config")) out = net::read_tls_config(*field);
  const bool files = !out.ca_file.empty() || !out.certificate_file.empty() || !out.key_file.empty();
  if (!input.trusted && files)
    map.value().problem("files are named in the configuration file alone: give the value itself");
  return out;
}

class TlsCheck final : public Check {
 public:
  TlsCheck(YamlMap& map, const KindInput& input)
      : clock_(input.tools.clock), tls_(input.tools.files, read_tls(map, input)) {
    plan_.connect_to = read_address(map, 443);
    plan_.tls = &tls_;
    const std::string& name = tls_.options().server_name;
    plan_.server_name = name.empty() ? plan_.connect_to.host : name;
    days_ = {Comparison{Compare::kBelow, 21}, Comparison{Compare::kBelow, 7}};
    read_thresholds(map, "certificate_days", days_, Compare::kBelow);
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ns = clock_.monotonic_ns();
    net::Deadline deadline(co_await asio::this_coro::executor, timeout);
    const auto transport = co_await net::dial(plan_, timeout, deadline);
    if (!transport) co_return reading_of(transport.error());
    const double took = double(clock_.monotonic_ns() - began_ns) / 1e9;
    const auto certificate = (*transport)->peer_certificate();
    if (!certificate)
      co_return Reading{.health = Health::kCritical, .message = "the server shows no certificate"};
    const double days = days_left(*certificate, clock_.wall_ms());
    Verdict verdict;
    judge_days(days_, *certificate, clock_.wall_ms(), verdict);
    verdict.judge(latency_, took, fmt::format("took {}", seconds_text(took)));
    verdict.note(fmt::format("{}, {:.0f} days left, in {}", one_line(certificate->subject, 100),
                             days, seconds_text(took)));
    co_return verdict.reading(days, "days");
  }

 private:
  // Fixed after construction
  const Clock& clock_;
  net::TlsClientContext tls_;
  net::DialPlan plan_;
  Thresholds days_;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_tls_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<TlsCheck>(map, input);
}

}  // namespace binnacle::watch::health
