#include "net/http_peer.h"

#include "net/oauth2_token.h"
#include "net/request_text.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

constexpr int kMaxRedirects = 10;

ClientOptions client_options(ClientOptions limits, const HttpClientConfig& config) {
  limits.tls = config.tls;
  limits.proxy_url = config.proxy_url;
  limits.no_proxy = config.no_proxy;
  limits.proxy_from_environment = config.proxy_from_environment;
  return limits;
}

Result<std::string> secret_of(FileSystem& files, const std::string& given,
                              const std::string& file) {
  if (file.empty()) return given;
  return read_secret_file(files, file);
}

}  // namespace

struct HttpPeer::Impl {
  Impl(HttpClientConfig peer_config, FileSystem& file_system, const Clock& clock,
       ClientOptions limits)
      : config(std::move(peer_config)),
        files(file_system),
        client(client_options(std::move(limits), config), file_system) {
    if (config.oauth2) token.emplace(*config.oauth2, file_system, clock);
  }

  Result<std::string> own_authorization();
  asio::awaitable<Status> prepare(ClientRequest& request);
  void look_at(int status, const std::string& authorization);

  // Fixed after construction
  const HttpClientConfig config;
  FileSystem& files;
  Client client;                     // has its own lock
  std::optional<OAuth2Token> token;  // has its own lock
};

// Of basic_auth or authorization; "" when neither is set.
Result<std::string> HttpPeer::Impl::own_authorization() {
  if (config.basic_auth) {
    const BasicAuth& auth = *config.basic_auth;
    TRY_ASSIGN(const auto user, secret_of(files, auth.username, auth.username_file));
    TRY_ASSIGN(const auto password, secret_of(files, auth.password, auth.password_file));
    return basic_credentials(user, password);
  }
  if (!config.authorization) return std::string();
  const Authorization& auth = *config.authorization;
  TRY_ASSIGN(const auto credentials, secret_of(files, auth.credentials, auth.credentials_file));
  return auth.type + " " + credentials;
}

asio::awaitable<Status> HttpPeer::Impl::prepare(ClientRequest& request) {
  if (config.follow_redirects && request.max_redirects == 0) request.max_redirects = kMaxRedirects;
  for (const auto& [name, value] : config.headers) {
    request.headers.remove(name);
    request.origin_headers.add(name, value);
  }
  for (const auto& [name, path] : config.header_files) {
    auto value = read_secret_file(files, path);
    if (!value) co_return fail(std::move(value).error());
    request.headers.remove(name);
    request.origin_headers.add(name, *value);
  }
  auto authorization = own_authorization();
  if (token) authorization = co_await token->authorization(request.timeout);
  if (!authorization) co_return fail(std::move(authorization).error());
  if (!authorization->empty() && !request.headers.has("Authorization")) {
    request.origin_headers.set("Authorization", *authorization);
  }
  co_return Status();
}

void HttpPeer::Impl::look_at(int status, const std::string& authorization) {
  if (status == 401 && token) token->refused(authorization);
}

HttpPeer::HttpPeer(HttpClientConfig config, FileSystem& files, const Clock& clock,
                   ClientOptions limits)
    : impl_(std::make_unique<Impl>(std::move(config), files, clock, std::move(limits))) {}
HttpPeer::~HttpPeer() = default;

asio::awaitable<Result<Response>> HttpPeer::send(ClientRequest request) {
  if (auto ready = co_await impl_->prepare(request); !ready) co_return fail(ready.error());
  const std::string authorization(request.origin_headers.get("Authorization"));
  auto response = co_await impl_->client.send(std::move(request));
  if (response) impl_->look_at(response->status, authorization);
  co_return response;
}

asio::awaitable<Result<std::unique_ptr<ClientStream>>> HttpPeer::open(ClientRequest request) {
  if (auto ready = co_await impl_->prepare(request); !ready) co_return fail(ready.error());
  const std::string authorization(request.origin_headers.get("Authorization"));
  auto stream = co_await impl_->client.open(std::move(request));
  if (stream) impl_->look_at((*stream)->status(), authorization);
  co_return stream;
}

}  // namespace binnacle::net
