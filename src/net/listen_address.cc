#include "net/listen_address.h"

#include <charconv>

namespace binnacle::net {

namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr size_t kMaxUnixPath = 107;  // sun_path with its end

Unexpected bad_address(std::string_view text, std::string_view why) {
  return fail(Code::kInvalidArgument, "listen address \"" + std::string(text) +
                                          "\": " + std::string(why) +
                                          "; use host:port, [::1]:port, :port or unix:/path");
}

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  ListenAddress address;
  if (text.starts_with(kUnixScheme)) {
    address.unix_path = text.substr(kUnixScheme.size());
    if (address.unix_path.empty()) return bad_address(text, "no path");
    if (address.unix_path.size() > kMaxUnixPath)
      return bad_address(text, "a path of more than 107 bytes");
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text, "no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size())
    return bad_address(text, "the port is not 0..65535");
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4)
      return bad_address(text, "the brackets do not close");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad_address(text, "an IPv6 address stands in brackets");
  }
  address.host = host;
  return address;
}

std::string format_host_port(std::string_view host, uint16_t port) {
  const bool brackets = host.find(':') != std::string_view::npos;
  std::string text;
  if (brackets) text += '[';
  text += host;
  if (brackets) text += ']';
  text += ':';
  text += std::to_string(port);
  return text;
}

bool is_loopback_address(std::string_view listen_address) {
  if (listen_address.starts_with("unix:")) return true;
  const std::string_view host = listen_address.substr(0, listen_address.rfind(':'));
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

}  // namespace binnacle::net
