// `grpc`: the health that a gRPC server tells of itself or of one of its services.
#include <fmt/format.h>

#include "net/grpc_health_client.h"
#include "net/http_config_yaml.h"
#include "net/oauth2_token.h"
#include "watch/health/checks/address.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using net::GrpcServing;
using std::chrono::milliseconds;

net::GrpcHealthClientOptions read_options(YamlMap& map, const KindInput& input) {
  net::GrpcHealthClientOptions out;
  const net::HostPort address = read_address(map);
  const bool six = address.host.find(':') != std::string::npos;
  out.target = fmt::format("{}{}{}:{}", six ? "[" : "", address.host, six ? "]" : "", address.port);
  map.read("tls", out.tls);
  if (const auto field = map.field("tls_config")) {
    out.tls = true;
    out.tls_options = net::read_tls_config(*field);
    if (out.tls_options.insecure_skip_verify)
      field->problem("insecure_skip_verify is not possible with gRPC: name the ca_file");
  }
  std::string token;
  std::string token_file;
  map.read("bearer_token", token);
  map.file("bearer_token_file", token_file);
  if (!token.empty() && !token_file.empty())
    map.value().problem("bearer_token and bearer_token_file are both given: keep one");
  out.bearer_token = [&all = input.tools.files, token, token_file]() -> Result<std::string> {
    if (token_file.empty()) return token;
    return net::read_secret_file(all, token_file);
  };
  const net::TlsClientOptions& tls = out.tls_options;
  const bool files = !token_file.empty() || !tls.ca_file.empty() || !tls.certificate_file.empty() ||
                     !tls.key_file.empty();
  if (files && !input.trusted)
    map.value().problem("files are named in the configuration file alone: give the value itself");
  return out;
}

class GrpcCheck final : public Check {
 public:
  GrpcCheck(YamlMap& map, const KindInput& input)
      : clock_(input.tools.clock), client_(read_options(map, input), input.tools.files) {
    map.read("service", service_);
    map.read("watch", watch_);
    read_thresholds(map, "latency", latency_, Compare::kAbove, ThresholdUnit::kDuration);
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    const int64_t began_ns = clock_.monotonic_ns();
    const auto serving = watch_ ? co_await client_.watch_once(service_, timeout)
                                : co_await client_.check(service_, timeout);
    const double took = double(clock_.monotonic_ns() - began_ns) / 1e9;
    if (!serving) co_return failure(serving.error());
    Verdict verdict;
    const std::string of = service_.empty() ? "the server" : service_;
    if (*serving == GrpcServing::kServiceUnknown) {
      verdict.add(Health::kCritical, fmt::format("the server knows no service {}", service_));
    } else if (*serving != GrpcServing::kServing) {
      verdict.add(Health::kCritical, fmt::format("{} is {}", of, net::serving_name(*serving)));
    }
    verdict.judge(latency_, took, fmt::format("took {}", seconds_text(took)));
    verdict.note(*serving == GrpcServing::kServing
                     ? fmt::format("{} is SERVING, in {}", of, seconds_text(took))
                     : fmt::format("in {}", seconds_text(took)));
    co_return verdict.reading(took, "seconds");
  }

 private:
  Reading failure(const Error& error) const {
    Reading out = reading_of(error);
    if (error.code == Code::kNotFound)
      out.message = fmt::format("the server knows no service {}", service_);
    if (error.code == Code::kUnimplemented) {
      // It answers, and cannot say how it is.
      out.health = Health::kUnknown;
      out.message = "the server has no health service (grpc.health.v1.Health)";
    }
    return out;
  }

  // Fixed after construction
  const Clock& clock_;
  net::GrpcHealthClient client_;
  std::string service_;
  bool watch_ = false;
  Thresholds latency_;
};

}  // namespace

std::unique_ptr<Check> read_grpc_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<GrpcCheck>(map, input);
}

}  // namespace binnacle::watch::health
