#include "watch/health/checks/http_probe.h"

#include <algorithm>

#include "net/http_config_yaml.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr uint64_t kMaxBodyBytes = uint64_t{64} << 20;

bool names_files(const net::HttpClientConfig& config) {
  const auto tls = [](const net::TlsClientOptions& one) {
    return !one.ca_file.empty() || !one.certificate_file.empty() || !one.key_file.empty();
  };
  return (config.basic_auth && !(config.basic_auth->username_file.empty() &&
                                 config.basic_auth->password_file.empty())) ||
         (config.authorization && !config.authorization->credentials_file.empty()) ||
         (config.oauth2 &&
          (!config.oauth2->client_secret_file.empty() || tls(config.oauth2->tls))) ||
         !config.header_files.empty() || tls(config.tls);
}

net::ClientOptions one_exchange() {
  net::ClientOptions options;
  options.max_idle_per_host = 0;  // a kept connection would hide that no new one can be made
  options.max_connections_per_host = 4;
  options.connect_timeout = milliseconds(10 * 60'000);  // the exchange's own deadline is shorter
  return options;
}

}  // namespace

HttpProbeSettings read_http_probe(YamlMap& map, const KindInput& input) {
  HttpProbeSettings out;
  map.read("url", out.url);
  if (out.url.empty()) {
    map.value().problem("url is missing");
  } else {
    net::check_url(*map.field("url"), out.url);
  }
  std::string method = "GET";
  constexpr std::string_view kMethods[] = {"GET",    "HEAD",  "POST",   "PUT",
                                           "DELETE", "PATCH", "OPTIONS"};
  map.choice("method", method, kMethods);
  out.method = net::method_from_name(method);
  YamlPairs headers;
  map.read("headers", headers);
  for (const auto& [name, value] : headers) out.headers.set(name, value);
  map.read("body", out.body);
  map.size("max_body", out.max_body_bytes);
  if (out.max_body_bytes > kMaxBodyBytes) map.value().problem("max_body is above 64MB");
  int64_t redirects = out.max_redirects;
  map.read("max_redirects", redirects);
  if (redirects < 0 || redirects > 100) map.value().problem("max_redirects: write 0 to 100");
  out.max_redirects = static_cast<int>(redirects);
  out.config = net::read_http_config(map);
  if (redirects == 0) out.config.follow_redirects = false;
  if (!input.trusted && names_files(out.config))
    map.value().problem("files are named in the configuration file alone: give the value itself");
  return out;
}

HttpProbe::HttpProbe(HttpProbeSettings settings, const CheckTools& tools)
    : settings_(std::move(settings)),
      clock_(tools.clock),
      peer_(settings_.config, tools.files, tools.clock, one_exchange()) {}

asio::awaitable<Result<HttpAnswer>> HttpProbe::run(milliseconds timeout) {
  const int64_t began_ns = clock_.monotonic_ns();
  const auto passed_ns = [this, began_ns] { return clock_.monotonic_ns() - began_ns; };
  net::ClientRequest request{.method = settings_.method,
                             .url = settings_.url,
                             .headers = settings_.headers,
                             .body = settings_.body,
                             .timeout = timeout,
                             .max_body_bytes = SIZE_MAX};
  if (settings_.config.follow_redirects) request.max_redirects = settings_.max_redirects;
  auto stream = co_await peer_.open(std::move(request));
  if (!stream) co_return fail(std::move(stream).error());
  HttpAnswer answer;
  answer.status = (*stream)->status();
  answer.certificate = (*stream)->certificate();
  const size_t limit = settings_.max_body_bytes;
  while (!answer.cut) {
    const milliseconds left = timeout - milliseconds(passed_ns() / 1'000'000);
    if (left <= milliseconds(0))
      co_return fail(Code::kDeadlineExceeded, "response body: not whole in time");
    const auto piece = co_await (*stream)->read(left);
    if (!piece) co_return fail(piece.error());
    if (piece->empty()) break;
    answer.cut = answer.body.size() + piece->size() > limit;
    answer.body.append(piece->substr(0, limit - answer.body.size()));
  }
  answer.seconds = static_cast<double>(passed_ns()) / 1e9;
  co_return answer;
}

}  // namespace binnacle::watch::health
