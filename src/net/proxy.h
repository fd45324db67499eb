// Which proxy an exchange goes through: by the environment as curl and Go read it (http_proxy,
// https_proxy, all_proxy and no_proxy, lower case first; loopback is never sent to a proxy), or the
// one that a configuration names. Immutable after construction.
#pragma once

#include "base/error.h"
#include "net/client.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle::net {

class ProxySettings {
 public:
  using Environment = std::function<std::string(const char* name)>;  // "" when not set

  ProxySettings() = default;  // no proxy at all
  explicit ProxySettings(const Environment& environment);
  static ProxySettings from_process();
  // `proxy_url` for every exchange; with a list of exclusions, these and loopback go straight.
  static ProxySettings fixed(std::string proxy_url, std::string exclusions);

  // The proxy for `url`, none to go straight; an error when the configured one cannot be used.
  Result<std::optional<Url>> proxy_for(const Url& url) const;

 private:
  bool is_excluded(const Url& url) const;

  std::string http_;
  std::string https_;
  std::string exclusions_;
  bool from_environment_ = false;
};

}  // namespace binnacle::net
