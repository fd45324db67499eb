#include "watch/rules/host_port.h"

#include <algorithm>
#include <optional>

namespace binnacle::watch::rules {
namespace {

struct HostPort {
  std::string_view host;
  std::string_view port;
};

// Nothing where there is no port, or more colons than one outside of brackets.
std::optional<HostPort> split(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  HostPort out{text.substr(0, colon), text.substr(colon + 1)};
  if (out.host.starts_with('[')) {
    if (!out.host.ends_with(']')) return std::nullopt;
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (out.host.find_first_of("[]") != std::string_view::npos ||
      out.port.find_first_of("[]") != std::string_view::npos)
    return std::nullopt;
  return out;
}

bool is_number_to_255(std::string_view text) {
  const bool digits = !text.empty() && text.size() <= 3 &&
                      text.find_first_not_of("0123456789") == std::string_view::npos;
  return digits && (text.size() == 1 || text[0] != '0') && (text.size() < 3 || text <= "255");
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 3; ++part) {
    const size_t dot = text.find('.');
    if (dot == std::string_view::npos || !is_number_to_255(text.substr(0, dot))) return false;
    text.remove_prefix(dot + 1);
  }
  return is_number_to_255(text);
}

// By its letters: no name of a host has two colons.
bool is_address(std::string_view host) {
  return is_ipv4(host) ||
         (std::count(host.begin(), host.end(), ':') >= 2 &&
          host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos);
}

}  // namespace

std::string strip_port(std::string_view host_port) {
  const auto parts = split(host_port);
  return std::string(parts ? parts->host : host_port);
}

std::string strip_domain(std::string_view host_port) {
  const auto parts = split(host_port);
  const std::string host(parts ? parts->host : host_port);
  if (is_address(host)) return std::string(host_port);
  std::string out = host.substr(0, host.find('.'));
  if (!parts || parts->port.empty()) return out;
  if (out.find(':') != std::string::npos) out = '[' + out + ']';
  return out + ':' + std::string(parts->port);
}

}  // namespace binnacle::watch::rules
