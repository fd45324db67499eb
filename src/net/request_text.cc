#include "net/request_text.h"

#include "net/base64.h"

#include <algorithm>

namespace binnacle::net {
namespace {

bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

bool is_value_character(char c) { return c == '\t' || static_cast<unsigned char>(c) >= ' '; }

Status check_header(std::string_view name, std::string_view value) {
  const bool good = !name.empty() && std::ranges::all_of(name, is_token_character) &&
                    std::ranges::all_of(value, is_value_character) &&
                    value.find('\x7F') == std::string_view::npos;
  if (!good)
    return fail(Code::kInvalidArgument,
                "request header: not allowed in HTTP (" + std::string(name) + ")");
  if (equal_ignoring_case(name, "Transfer-Encoding") ||
      equal_ignoring_case(name, "Content-Length")) {
    return fail(Code::kInvalidArgument,
                "request header: set by the client itself (" + std::string(name) + ")");
  }
  return {};
}

bool has_body_semantics(Method method) {
  return method == Method::kPost || method == Method::kPut || method == Method::kPatch;
}

bool same_origin(const Url& a, const Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

// RFC 3986, 5.2, for the forms that servers send: absolute, "//host/x", "/x", "?q", "x".
std::string resolve_reference(const Url& base, std::string_view reference) {
  if (reference.find("://") < reference.find_first_of("/?#")) return std::string(reference);
  const std::string origin = base.scheme + "://" + base.authority();
  if (reference.starts_with("//")) return base.scheme + ":" + std::string(reference);
  if (reference.starts_with('/')) return origin + std::string(reference);
  const std::string path = base.target.substr(0, base.target.find('?'));
  if (reference.starts_with('?')) return origin + path + std::string(reference);
  return origin + path.substr(0, path.rfind('/') + 1) + std::string(reference);
}

}  // namespace

std::string basic_credentials(std::string_view user, std::string_view password) {
  return "Basic " + encode_base64(std::string(user) + ":" + std::string(password));
}

Result<std::string> request_head(const ClientRequest& request, const Url& url, bool absolute,
                                 std::string_view proxy_credentials) {
  if (request.method == Method::kOther) return fail(Code::kInvalidArgument, "request: no method");
  std::string head(method_name(request.method));
  head += ' ';
  if (absolute) head += "http://" + url.authority();
  head += url.target + " HTTP/1.1\r\n";
  const auto add = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  const auto has = [&request](std::string_view name) {
    return request.headers.has(name) || request.origin_headers.has(name);
  };
  if (!has("Host")) add("Host", url.authority());
  if (!has("User-Agent")) add("User-Agent", "binnacle");
  if (!has("Accept-Encoding")) add("Accept-Encoding", "gzip, zstd");
  if (!url.user.empty() && !has("Authorization")) {
    add("Authorization", basic_credentials(url.user, url.password));
  }
  if (absolute && !proxy_credentials.empty()) add("Proxy-Authorization", proxy_credentials);
  if (!request.body.empty() || has_body_semantics(request.method)) {
    add("Content-Length", std::to_string(request.body.size()));
  }
  for (const Headers* fields : {&request.headers, &request.origin_headers}) {
    for (const auto& [name, value] : fields->all()) {
      TRY(check_header(name, value));
      add(name, value);
    }
  }
  return head + "\r\n";
}

std::string connect_request(const Url& url, std::string_view proxy_credentials) {
  const bool address6 = url.host.find(':') != std::string::npos;
  const std::string target =
      (address6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
  std::string text = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_credentials.empty())
    text += "Proxy-Authorization: " + std::string(proxy_credentials) + "\r\n";
  return text + "\r\n";
}

bool is_redirect(int status, const Headers& headers) {
  const bool asks =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  return asks && headers.has("Location");
}

Result<Url> redirect(ClientRequest& request, const Url& from, int status,
                     std::string_view location) {
  auto parsed = Url::parse(resolve_reference(from, location));
  if (!parsed) return fail(std::move(parsed).error().with_context("redirect"));
  Url to = std::move(*parsed);
  const bool becomes_get = (status == 303 && request.method != Method::kHead) ||
                           (status <= 302 && request.method == Method::kPost);
  if (becomes_get) {
    request.method = Method::kGet;
    request.body.clear();
    request.headers.remove("Content-Type");
    request.headers.remove("Content-Encoding");
  }
  request.headers.remove("Host");
  if (same_origin(from, to)) {
    to.user = from.user;
    to.password = from.password;
  } else {
    for (const char* secret : {"Authorization", "Cookie", "X-API-Key"})
      request.headers.remove(secret);
    request.origin_headers = {};
  }
  return to;
}

}  // namespace binnacle::net
