#include "net/client.h"

#include <algorithm>
#include <charconv>

namespace binnacle::net {
namespace {

Unexpected bad_url(std::string_view text, std::string_view detail) {
  return fail(Code::kInvalidArgument,
              "URL: " + std::string(detail) + " (" + std::string(text) + ")");
}

uint16_t default_port(std::string_view scheme) {
  return scheme == "https" || scheme == "wss" ? 443 : 80;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_printable_ascii(char c) { return c > ' ' && c < 0x7F; }

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_address6_character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '%' ||
         is_host_character(c);
}

// "host", "host:port", "[::1]:port" into `url`; returns what is wrong, or "".
std::string_view take_host(std::string_view text, Url& url) {
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return "the address has no closing bracket";
    url.host = lowered(text.substr(1, end - 1));
    port = text.substr(end + 1);
    if (!port.empty() && !port.starts_with(':'))
      return "something other than a port follows the address";
    if (url.host.find(':') == std::string::npos ||
        !std::ranges::all_of(url.host, is_address6_character)) {
      return "not an IPv6 address in the brackets";
    }
  } else {
    const size_t colon = text.find(':');
    url.host = lowered(text.substr(0, colon));
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (!std::ranges::all_of(url.host, is_host_character))
      return "the host has a character that may not be there";
  }
  if (url.host.empty()) return "no host";
  url.port = default_port(url.scheme);
  if (port.size() <= 1) return {};
  port.remove_prefix(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc{} || end != port.data() + port.size() || url.port == 0)
    return "the port is not 1 to 65535";
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  const std::string_view whole = text;
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos)
    return bad_url(whole, "no scheme; write http:// or https:// before it");
  Url url;
  url.scheme = lowered(text.substr(0, scheme_end));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss") {
    return bad_url(whole, "scheme is none of http, https, ws, wss");
  }
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));
  const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  url.target = text.substr(authority_end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (!std::ranges::all_of(url.target, is_printable_ascii)) {
    return bad_url(whole, "a space, control or non-ASCII character must be written as %XX");
  }
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user_info = authority.substr(0, at);
    const size_t colon = user_info.find(':');
    url.user = percent_decode(user_info.substr(0, colon), false);
    if (colon != std::string_view::npos)
      url.password = percent_decode(user_info.substr(colon + 1), false);
    authority.remove_prefix(at + 1);
  }
  // The text may hold a password, so from here on only the host is shown.
  if (const auto wrong = take_host(authority, url); !wrong.empty())
    return bad_url(authority, wrong);
  return url;
}

std::string Url::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != default_port(scheme)) text += ":" + std::to_string(port);
  return text;
}

}  // namespace binnacle::net
