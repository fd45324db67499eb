#include "store/access/host_rules.h"

#include "net/http.h"

#include <algorithm>
#include <array>

namespace binnacle::store::access {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The port as text, or "" when there is none or it is broken.
std::string_view port_of(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view port = authority.substr(colon + 1);
  return all_digits(port) ? port : std::string_view{};
}

bool is_loopback_name(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "127.0.0.1";
}

bool is_ip_literal(std::string_view host) {
  // A name's last label is not all digits (RFC 3696), so this takes no name for an address.
  if (host.find(':') != std::string_view::npos) return true;
  const size_t dot = host.rfind('.');
  return dot != std::string_view::npos && all_digits(host.substr(dot + 1)) &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_allowed(std::string_view authority, const std::vector<std::string>& allowed) {
  const std::string host = host_name(authority);
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& entry) {
    if (host_name(entry) != host) return false;
    const std::string_view port = port_of(entry);
    return port.empty() || port == port_of(authority);
  });
}

struct Origin {
  std::string host;
  std::string port;
};

Origin origin_parts(std::string_view authority, bool tls) {
  const std::string_view port = port_of(authority);
  return {host_name(authority), port.empty() ? (tls ? "443" : "80") : std::string(port)};
}

}  // namespace

std::string host_name(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !all_digits(rest.substr(1)))) return {};
    return lower(authority.substr(1, end - 1));
  }
  const size_t colon = authority.find(':');
  if (colon == std::string_view::npos) return lower(authority);
  if (!all_digits(authority.substr(colon + 1))) return {};
  return lower(authority.substr(0, colon));
}

bool host_is_ours(std::string_view host_header, std::string_view listener,
                  const std::vector<std::string>& allowed) {
  if (host_header.empty() || listener.starts_with("unix:")) return true;
  const std::string host = host_name(host_header);
  if (host.empty()) return false;
  if (is_loopback_name(host) || is_allowed(host_header, allowed)) return true;
  const std::string own = host_name(listener);
  const bool all_addresses = own.empty() || own == "0.0.0.0" || own == "::";
  return all_addresses ? is_ip_literal(host) : host == own;
}

bool origin_is_ours(std::string_view origin, std::string_view host_header, bool tls,
                    const std::vector<std::string>& allowed) {
  const size_t scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string scheme = lower(origin.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return false;
  const std::string_view authority = origin.substr(scheme_end + 3);
  const Origin theirs = origin_parts(authority, scheme == "https");
  if (theirs.host.empty()) return false;
  if (is_allowed(authority, allowed)) return true;
  // A proxy may end TLS before us, so the scheme itself is not compared; a Host without a port then
  // means the proxy's default one.
  const Origin ours = origin_parts(host_header, tls || scheme == "https");
  return theirs.host == ours.host && theirs.port == ours.port;
}

std::string client_of_address(std::string_view address) {
  if (address.find(':') == std::string_view::npos) return std::string(address);
  if (address.starts_with("::ffff:") && address.find('.') != std::string_view::npos) {
    return std::string(address.substr(7));
  }
  std::array<std::string_view, 4> prefix;
  prefix.fill("0");
  // Groups before "::" stand at their place; those after it are beyond the first four in every
  // address that is handed out as a /64, and a wrong guess only makes two clients share a bucket.
  const std::string_view head = address.substr(0, address.find("::"));
  size_t group = 0;
  for (size_t at = 0; at < head.size() && group < prefix.size(); ++group) {
    const size_t end = std::min(head.find(':', at), head.size());
    prefix[group] = head.substr(at, end - at);
    at = end + 1;
  }
  std::string client;
  for (const std::string_view part : prefix) {
    client += part;
    client += ':';
  }
  return client + ":/64";
}

}  // namespace binnacle::store::access
