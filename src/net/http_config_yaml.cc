#include "net/http_config_yaml.h"

#include "net/client.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle::net {
namespace {

constexpr std::string_view kFields[] = {
    "basic_auth",       "authorization",          "oauth2",
    "bearer_token",     "bearer_token_file",      "tls_config",
    "follow_redirects", "enable_http2",           "proxy_url",
    "no_proxy",         "proxy_from_environment", "proxy_connect_header",
    "http_headers"};

constexpr std::string_view kReservedHeaders[] = {"Authorization",
                                                 "Host",
                                                 "Content-Encoding",
                                                 "Content-Length",
                                                 "Content-Type",
                                                 "User-Agent",
                                                 "Connection",
                                                 "Keep-Alive",
                                                 "Proxy-Authenticate",
                                                 "Proxy-Authorization",
                                                 "Transfer-Encoding",
                                                 "WWW-Authenticate",
                                                 "Accept-Encoding",
                                                 "X-Prometheus-Remote-Write-Version",
                                                 "X-Prometheus-Remote-Read-Version",
                                                 "X-Prometheus-Scrape-Timeout-Seconds",
                                                 "X-Amz-Date",
                                                 "X-Amz-Security-Token",
                                                 "X-Amz-Content-SHA256"};

constexpr std::string_view kNoSecretManager =
    "has no effect: there is no secret manager here; use the field that names a file";

void at_most_one(const YamlMap& map, std::string_view a, bool has_a, std::string_view b,
                 bool has_b) {
  if (has_a && has_b) map.value().problem(fmt::format("{} and {} are both given: keep one", a, b));
}

BasicAuth read_basic_auth(const YamlValue& value) {
  YamlMap map(value);
  BasicAuth auth;
  map.read("username", auth.username);
  map.file("username_file", auth.username_file);
  map.read("password", auth.password);
  map.file("password_file", auth.password_file);
  map.unused("username_ref", kNoSecretManager);
  map.unused("password_ref", kNoSecretManager);
  map.finish();
  at_most_one(map, "username", !auth.username.empty(), "username_file",
              !auth.username_file.empty());
  at_most_one(map, "password", !auth.password.empty(), "password_file",
              !auth.password_file.empty());
  return auth;
}

Authorization read_authorization(const YamlValue& value) {
  YamlMap map(value);
  Authorization auth;
  map.read("type", auth.type);
  map.read("credentials", auth.credentials);
  map.file("credentials_file", auth.credentials_file);
  map.unused("credentials_ref", kNoSecretManager);
  map.finish();
  if (auth.type.empty()) auth.type = "Bearer";
  if (equal_ignoring_case(auth.type, "basic")) {
    value.problem("type basic needs a user: write basic_auth instead of authorization");
  }
  at_most_one(map, "credentials", !auth.credentials.empty(), "credentials_file",
              !auth.credentials_file.empty());
  return auth;
}

void read_proxy(YamlMap& map, std::string& url, std::string& excluded, bool& from_environment) {
  map.read("proxy_url", url);
  map.read("no_proxy", excluded);
  map.read("proxy_from_environment", from_environment);
  map.unused("proxy_connect_header", "has no effect: a tunnel is asked for with credentials alone");
  at_most_one(map, "proxy_url", !url.empty(), "proxy_from_environment", from_environment);
  at_most_one(map, "no_proxy", !excluded.empty(), "proxy_from_environment", from_environment);
  if (url.empty() && !excluded.empty() && !from_environment) {
    map.value().problem("no_proxy is given without a proxy_url");
  }
}

OAuth2 read_oauth2(const YamlValue& value) {
  YamlMap map(value);
  OAuth2 oauth;
  map.read("client_id", oauth.client_id);
  map.read("client_secret", oauth.client_secret);
  map.file("client_secret_file", oauth.client_secret_file);
  map.unused("client_secret_ref", kNoSecretManager);
  map.read("scopes", oauth.scopes);
  map.read("token_url", oauth.token_url);
  map.read("endpoint_params", oauth.endpoint_params);
  if (const auto tls = map.field("tls_config")) oauth.tls = read_tls_config(*tls);
  read_proxy(map, oauth.proxy_url, oauth.no_proxy, oauth.proxy_from_environment);
  constexpr std::string_view kNoJwt = "has no effect: only the client_credentials grant is spoken";
  for (const char* name : {"grant_type", "client_certificate_key", "client_certificate_key_file",
                           "client_certificate_key_ref", "client_certificate_key_id",
                           "signature_algorithm", "iss", "audience", "claims"}) {
    map.unused(name, kNoJwt);
  }
  map.finish();
  if (oauth.client_id.empty()) value.problem("client_id is missing");
  if (oauth.token_url.empty()) value.problem("token_url is missing");
  if (oauth.client_secret.empty() && oauth.client_secret_file.empty()) {
    value.problem("client_secret is missing: give it or client_secret_file");
  }
  at_most_one(map, "client_secret", !oauth.client_secret.empty(), "client_secret_file",
              !oauth.client_secret_file.empty());
  return oauth;
}

void read_headers(const YamlValue& value, HttpClientConfig& config) {
  YamlMap map(value);
  for (const std::string& name : map.names()) {
    const auto one = map.take(name);
    check_header_name(*one, name);
    YamlMap header(*one);
    std::vector<std::string> values;
    std::vector<std::string> secrets;
    std::vector<std::string> files;
    header.read("values", values);
    header.read("secrets", secrets);
    header.read("files", files);
    header.finish();
    for (const auto& text : values) config.headers.emplace_back(name, text);
    for (const auto& text : secrets) config.headers.emplace_back(name, text);
    for (const auto& path : files) {
      config.header_files.emplace_back(name, value.document().resolve(path));
    }
  }
}

// What older files call what `authorization` is today.
void read_bearer_token(YamlMap& map, HttpClientConfig& config) {
  std::string token;
  std::string file;
  map.read("bearer_token", token);
  map.file("bearer_token_file", file);
  if (token.empty() && file.empty()) return;
  at_most_one(map, "bearer_token", !token.empty(), "bearer_token_file", !file.empty());
  if (config.authorization) {
    map.value().problem("authorization and bearer_token are both given: keep authorization");
  }
  config.authorization = Authorization{.credentials = token, .credentials_file = file};
}

}  // namespace

bool is_http_config_field(std::string_view name) {
  return std::ranges::find(kFields, name) != std::end(kFields);
}

void check_header_name(const YamlValue& at, std::string_view name) {
  const bool reserved = std::ranges::any_of(
      kReservedHeaders, [&](std::string_view taken) { return equal_ignoring_case(taken, name); });
  if (reserved) {
    at.problem("this header is not set here", name,
               "credentials have fields of their own, the others belong to the protocol");
  }
}

void check_url(const YamlValue& at, std::string_view url) {
  // The text may hold a password, so that it is not quoted.
  const auto parsed = Url::parse(url);
  if (!parsed) return at.problem("no URL: write it like https://host:port/path");
  if (parsed->scheme != "http" && parsed->scheme != "https") {
    at.problem("no http:// or https:// URL", parsed->scheme, "use one of them");
  }
}

TlsClientOptions read_tls_config(const YamlValue& value) {
  YamlMap map(value);
  TlsClientOptions tls;
  map.file("ca_file", tls.ca_file);
  map.file("cert_file", tls.certificate_file);
  map.file("key_file", tls.key_file);
  map.read("server_name", tls.server_name);
  map.read("insecure_skip_verify", tls.insecure_skip_verify);
  map.read("ca", tls.ca_pem);
  map.read("cert", tls.certificate_pem);
  map.read("key", tls.key_pem);
  for (const char* name : {"ca_ref", "cert_ref", "key_ref"}) map.unused(name, kNoSecretManager);
  for (const char* name : {"min_version", "max_version"}) {
    map.unused(name, "has no effect: TLS 1.2 and 1.3 are spoken, the newest that the peer can");
  }
  map.finish();
  at_most_one(map, "ca", !tls.ca_pem.empty(), "ca_file", !tls.ca_file.empty());
  at_most_one(map, "cert", !tls.certificate_pem.empty(), "cert_file",
              !tls.certificate_file.empty());
  at_most_one(map, "key", !tls.key_pem.empty(), "key_file", !tls.key_file.empty());
  const bool has_certificate = !tls.certificate_file.empty() || !tls.certificate_pem.empty();
  const bool has_key = !tls.key_file.empty() || !tls.key_pem.empty();
  if (has_certificate != has_key) {
    value.problem("a certificate and its key go together: give cert_file and key_file or none");
  }
  return tls;
}

HttpClientConfig read_http_config(YamlMap& map) {
  HttpClientConfig config;
  if (const auto auth = map.field("basic_auth")) config.basic_auth = read_basic_auth(*auth);
  if (const auto auth = map.field("authorization"))
    config.authorization = read_authorization(*auth);
  read_bearer_token(map, config);
  if (const auto auth = map.field("oauth2")) config.oauth2 = read_oauth2(*auth);
  const int ways =
      (config.basic_auth ? 1 : 0) + (config.authorization ? 1 : 0) + (config.oauth2 ? 1 : 0);
  if (ways > 1) {
    map.value().problem("more than one of basic_auth, authorization, oauth2 is given: keep one");
  }
  if (const auto tls = map.field("tls_config")) config.tls = read_tls_config(*tls);
  map.read("follow_redirects", config.follow_redirects);
  bool http2 = false;
  map.read("enable_http2", http2);
  if (http2) map.unused("enable_http2", "has no effect: peers are spoken to in HTTP/1.1");
  read_proxy(map, config.proxy_url, config.no_proxy, config.proxy_from_environment);
  if (const auto headers = map.field("http_headers")) read_headers(*headers, config);
  return config;
}

}  // namespace binnacle::net
