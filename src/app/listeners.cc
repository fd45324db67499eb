#include "app/listeners.h"
#include "net/listen_address.h"

#include <fmt/format.h>

#include "net/listen_address.h"

namespace binnacle::app {
namespace {

net::TlsServerOptions tls_options(const Config& entry) {
  return {.certificate_file = entry.get_string("tls.certificate_file"),
          .key_file = entry.get_string("tls.key_file"),
          .client_ca_file = entry.get_string("tls.client_ca_file"),
          .require_client_certificate = entry.get_bool("tls.require_client_certificate")};
}

store::access::ListenerAccess access_of(const Config& entry) {
  using store::access::ListenerAuth;
  return {.auth = entry.get_string("auth") == "none" ? ListenerAuth::kNone : ListenerAuth::kKeys,
          .certificate_role = Role::kViewer};
}

}  // namespace

Status check_exposure(const std::string& what, const std::string& address, AskedFor asked,
                      const ListenPolicy& policy) {
  if (policy.insecure || net::is_loopback_address(address)) return {};
  if (asked.client_certificate || (asked.keys && policy.has_keys)) return {};
  return fail(Code::kFailedPrecondition,
              fmt::format("{}: others can reach this address and nothing would ask them for a key; "
                          "make one with `binnacle key create --role admin --name NAME`, set "
                          "tls.require_client_certificate, or give --insecure",
                          what));
}

GrpcTls grpc_tls(const Config& config) {
  if (!config.get_bool("server.grpc_tls")) return {};
  for (size_t i = 0; i < config.list_size("server.listen"); ++i) {
    const Config entry = config.at("server.listen", i);
    auto options = tls_options(entry);
    if (!options.certificate_file.empty()) return {options, entry.get_string("address")};
  }
  return {};
}

store::access::ListenerAccess grpc_access(const Config& config) {
  using store::access::ListenerAuth;
  return {.auth = config.get_string("server.grpc_auth") == "none" ? ListenerAuth::kNone
                                                                  : ListenerAuth::kKeys,
          .certificate_role = Role::kViewer};
}

std::string address_for_links(std::string_view listen_address, const std::string& host_name) {
  const auto address = net::ListenAddress::parse(listen_address);
  if (!address || !address->unix_path.empty()) return std::string(listen_address);
  const std::string& host = address->host;
  const bool all = host.empty() || host == "0.0.0.0" || host == "::";
  return net::format_host_port(all ? host_name : host, address->port);
}

Status Listeners::bind(net::Server& server, const Config& config,
                       const std::vector<std::string>& addresses, const ListenPolicy& policy) {
  if (!addresses.empty()) {
    const Config first = config.at("server.listen", 0);
    for (const std::string& address : addresses) TRY(bind_one(server, first, address, policy));
    return {};
  }
  for (size_t i = 0; i < config.list_size("server.listen"); ++i) {
    const Config entry = config.at("server.listen", i);
    TRY(bind_one(server, entry, entry.get_string("address"), policy));
  }
  return {};
}

Status Listeners::bind_one(net::Server& server, const Config& entry, const std::string& address,
                           const ListenPolicy& policy) {
  TRY(check_exposure(fmt::format("listen on {}", address), address,
                     {.keys = entry.get_string("auth") == "keys",
                      .client_certificate = entry.get_bool("tls.require_client_certificate")},
                     policy));
  net::ListenerOptions options;
  options.address = address;
  for (const std::string& name : entry.get_strings("groups")) {
    TRY_ASSIGN(options.groups.emplace_back(), net::route_group_from_name(name));
  }
  Bound bound{nullptr, access_of(entry)};
  if (!entry.get_string("tls.certificate_file").empty()) {
    auto tls = net::TlsServerContext::load(files_, tls_options(entry));
    if (!tls)
      return fail(std::move(tls).error().with_context(fmt::format("listen on {}", address)));
    bound.tls = std::move(*tls);
    options.tls = bound.tls.get();
  }
  TRY(server.listen(options));
  bound_.push_back(std::move(bound));
  return {};
}

std::map<std::string, store::access::ListenerAccess> Listeners::access(
    const net::Server& server) const {
  std::map<std::string, store::access::ListenerAccess> out;
  const std::vector<std::string> addresses = server.addresses();
  for (size_t i = 0; i < bound_.size(); ++i) out.emplace(addresses[i], bound_[i].access);
  return out;
}

std::vector<std::string> Listeners::urls(const net::Server& server) const {
  std::vector<std::string> out;
  const std::vector<std::string> addresses = server.addresses();
  for (size_t i = 0; i < bound_.size(); ++i) {
    const bool is_unix = addresses[i].starts_with("unix:");
    const std::string_view scheme = bound_[i].tls != nullptr ? "https://" : "http://";
    out.push_back(is_unix ? addresses[i] : fmt::format("{}{}", scheme, addresses[i]));
  }
  return out;
}

std::string Listeners::url_for_links(const net::Server& server,
                                     const std::string& host_name) const {
  const std::string url = urls(server).front();
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  return url.substr(0, scheme + 3) + address_for_links(url.substr(scheme + 3), host_name);
}

Status Listeners::reload_certificates(bool changed_only) {
  for (const Bound& bound : bound_) {
    if (bound.tls == nullptr || (changed_only && !bound.tls->files_changed())) continue;
    TRY(bound.tls->reload());
  }
  return {};
}

}  // namespace binnacle::app
