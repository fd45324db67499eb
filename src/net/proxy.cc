#include "net/proxy.h"

#include "net/field_value.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <cstdlib>

namespace binnacle::net {
namespace {

namespace ip = boost::asio::ip;
using boost::system::error_code;

std::string first_set(const ProxySettings::Environment& environment,
                      std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment(name); !value.empty()) return value;
  }
  return {};
}

bool in_network(const ip::address& address, const std::string& network) {
  error_code error;
  if (address.is_v4()) {
    const auto range = ip::make_network_v4(network, error);
    return !error &&
           (address.to_v4().to_uint() & range.netmask().to_uint()) == range.network().to_uint();
  }
  const auto range = ip::make_network_v6(network, error);
  return !error &&
         ip::network_v6(address.to_v6(), range.prefix_length()).network() == range.network();
}

bool in_domain(std::string_view host, std::string_view domain) {
  if (domain.starts_with('*')) domain.remove_prefix(1);
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || host.size() < domain.size()) return false;
  const size_t before = host.size() - domain.size();
  return equal_ignoring_case(host.substr(before), domain) &&
         (before == 0 || host[before - 1] == '.');
}

// One element of no_proxy against a host (an address when `address` is set) and port.
bool excludes(std::string_view element, const Url& url, const std::optional<ip::address>& address) {
  if (element == "*") return true;
  if (element.find('/') != std::string_view::npos)
    return address && in_network(*address, std::string(element));
  if (address) {
    error_code error;
    const auto other = ip::make_address(std::string(element), error);
    if (!error) return other == *address;
  }
  const size_t colon = element.rfind(':');
  if (colon != std::string_view::npos && element.substr(colon + 1) != std::to_string(url.port))
    return false;
  return in_domain(url.host, element.substr(0, colon));
}

}  // namespace

ProxySettings::ProxySettings(const Environment& environment)
    : http_(first_set(environment, {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})),
      https_(first_set(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})),
      exclusions_(first_set(environment, {"no_proxy", "NO_PROXY"})),
      from_environment_(true) {}

ProxySettings ProxySettings::fixed(std::string proxy_url, std::string exclusions) {
  ProxySettings settings;
  settings.http_ = proxy_url;
  settings.https_ = std::move(proxy_url);
  settings.exclusions_ = std::move(exclusions);
  return settings;
}

ProxySettings ProxySettings::from_process() {
  return ProxySettings([](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
  });
}

Result<std::optional<Url>> ProxySettings::proxy_for(const Url& url) const {
  const bool secure = url.scheme == "https" || url.scheme == "wss";
  const std::string& configured = secure ? https_ : http_;
  if (configured.empty() || is_excluded(url)) return std::nullopt;
  // "proxy:3128" is as good as "http://proxy:3128".
  auto proxy =
      Url::parse(configured.find("://") == std::string::npos ? "http://" + configured : configured);
  const std::string name = !from_environment_ ? "proxy_url"
                           : secure           ? "environment variable https_proxy"
                                              : "environment variable http_proxy";
  if (!proxy) return fail(std::move(proxy).error().with_context(name));
  if (proxy->scheme != "http") {
    return fail(Code::kUnimplemented,
                name + ": only http:// proxies are spoken to (" + proxy->scheme + ")");
  }
  return std::move(*proxy);
}

bool ProxySettings::is_excluded(const Url& url) const {
  if (!from_environment_ && exclusions_.empty()) return false;
  error_code not_address;
  const auto parsed = ip::make_address(url.host, not_address);
  const auto address = not_address ? std::nullopt : std::optional(parsed);
  if (url.host == "localhost" || (address && address->is_loopback())) return true;
  std::string_view list = exclusions_;
  while (!list.empty()) {
    const std::string_view element = take_element(list, ',');
    if (!element.empty() && excludes(element, url, address)) return true;
  }
  return false;
}

}  // namespace binnacle::net
