// How a peer over HTTP is reached, as Prometheus' configuration has it (`http_config`): who we are,
// what we trust, which proxy. Shared by scraping, discovery, remote write and notifications. A
// plain value. Source: Prometheus documentation, "<http_config>".
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/tls.h"

namespace binnacle::net {

// Of a secret and its file at most one is set; files are read again for each request.
struct BasicAuth {
  std::string username;
  std::string username_file;
  std::string password;
  std::string password_file;
  bool operator==(const BasicAuth&) const = default;
};

struct Authorization {
  std::string type = "Bearer";
  std::string credentials;
  std::string credentials_file;
  bool operator==(const Authorization&) const = default;
};

// The client credentials grant (RFC 6749, 4.4). The token endpoint is reached by settings of its
// own.
struct OAuth2 {
  std::string client_id;
  std::string client_secret;
  std::string client_secret_file;
  std::vector<std::string> scopes;
  std::string token_url;
  std::vector<std::pair<std::string, std::string>> endpoint_params;
  TlsClientOptions tls;
  std::string proxy_url;
  std::string no_proxy;
  bool proxy_from_environment = false;
  bool operator==(const OAuth2&) const = default;
};

// At most one of basic_auth, authorization, oauth2.
struct HttpClientConfig {
  std::optional<BasicAuth> basic_auth;
  std::optional<Authorization> authorization;
  std::optional<OAuth2> oauth2;
  TlsClientOptions tls;
  std::string proxy_url;  // empty: none
  std::string no_proxy;   // comma-separated hosts, domains, networks
  bool proxy_from_environment = false;
  bool follow_redirects = true;
  // Added to each request.
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::pair<std::string, std::string>> header_files;  // the value is the file's text
  bool operator==(const HttpClientConfig&) const = default;
};

}  // namespace binnacle::net
