#include "net/oauth2_token.h"

#include "base/json_parse.h"
#include "net/request_text.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr size_t kMaxSecretBytes = size_t{64} << 10;
constexpr size_t kMaxAnswerBytes = size_t{1} << 20;
// A token that ends while a request is on its way is refused; so it is given up before.
constexpr int64_t kEndsEarlyMs = 10'000;
constexpr int64_t kMaxLifeSeconds = 366LL * 86'400;
// How often those who wait for another's request to the token endpoint look again: they may be on
// other threads, so that no timer of theirs can be cancelled.
constexpr milliseconds kLookAgain{10};

ClientOptions client_options(const OAuth2& config) {
  ClientOptions options;
  options.tls = config.tls;
  options.proxy_url = config.proxy_url;
  options.no_proxy = config.no_proxy;
  options.proxy_from_environment = config.proxy_from_environment;
  return options;
}

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += percent_encode(name) + "=" + percent_encode(value);
}

// What the endpoint says of itself; never the credentials, which it may echo.
std::string refusal(const Response& response) {
  const auto answer = parse_json(response.body);
  std::string text = "token endpoint: HTTP status " + std::to_string(response.status);
  if (!answer.is_object()) return text;
  const auto error = answer.find("error");
  if (error == answer.end() || !error->is_string()) return text;
  return text + " (" + error->get<std::string>().substr(0, 100) + ")";
}

// Seconds of life; 0 when the answer does not say.
int64_t life_seconds(const nlohmann::json& answer) {
  const auto field = answer.find("expires_in");
  if (field == answer.end()) return 0;
  double seconds = 0;
  if (field->is_number()) seconds = field->get<double>();
  if (field->is_string())
    seconds = std::strtod(field->get_ref<const std::string&>().c_str(), nullptr);
  if (!std::isfinite(seconds) || seconds <= 0) return 0;
  return static_cast<int64_t>(std::min(seconds, static_cast<double>(kMaxLifeSeconds)));
}

}  // namespace

Result<std::string> read_secret_file(FileSystem& files, const std::string& path) {
  auto text = files.read_file(path, kMaxSecretBytes);
  if (!text) {
    return fail(Code::kUnauthenticated, "credentials file: " + std::move(text).error().message);
  }
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text->find_first_not_of(kSpace);
  if (first == std::string::npos) return std::string();
  return text->substr(first, text->find_last_not_of(kSpace) - first + 1);
}

OAuth2Token::OAuth2Token(OAuth2 config, FileSystem& files, const Clock& clock)
    : config_(std::move(config)),
      files_(files),
      clock_(clock),
      client_(client_options(config_), files) {}

OAuth2Token::Fetching::~Fetching() {
  const MutexLock lock(token_.mu_);
  token_.fetching_ = false;
}

std::optional<std::string> OAuth2Token::kept(const std::string& secret) {
  const bool good = !token_.authorization.empty() && token_.secret == secret &&
                    (token_.ends_at_ms == 0 || clock_.monotonic_ms() < token_.ends_at_ms);
  return good ? std::optional(token_.authorization) : std::nullopt;
}

asio::awaitable<Result<std::string>> OAuth2Token::authorization(milliseconds timeout) {
  std::string secret = config_.client_secret;
  if (!config_.client_secret_file.empty()) {
    auto read = read_secret_file(files_, config_.client_secret_file);
    if (!read) co_return fail(std::move(read).error());
    secret = std::move(*read);
  }
  const int64_t give_up_ms = clock_.monotonic_ms() + timeout.count();
  while (true) {
    {
      const MutexLock lock(mu_);
      if (auto token = kept(secret)) co_return *token;
      if (!fetching_) {
        fetching_ = true;
        break;
      }
    }
    if (clock_.monotonic_ms() >= give_up_ms) {
      co_return fail(Code::kDeadlineExceeded, "token endpoint: no answer in time");
    }
    asio::steady_timer pause(co_await asio::this_coro::executor, kLookAgain);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  // Also when the coroutine is cancelled: the others must not wait for ever.
  const Fetching done(*this);
  auto token = co_await fetch(secret, timeout);
  const MutexLock lock(mu_);
  if (!token) co_return fail(std::move(token).error());
  token_ = std::move(*token);
  co_return token_.authorization;
}

void OAuth2Token::refused(const std::string& authorization) {
  const MutexLock lock(mu_);
  if (token_.authorization == authorization) token_ = {};
}

asio::awaitable<Result<Response>> OAuth2Token::ask(const std::string& secret, bool in_body,
                                                   milliseconds timeout) {
  ClientRequest request{.method = Method::kPost,
                        .url = config_.token_url,
                        .timeout = timeout,
                        .max_body_bytes = kMaxAnswerBytes};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");
  add_field(request.body, "grant_type", "client_credentials");
  std::string scopes;
  for (const std::string& scope : config_.scopes) scopes += (scopes.empty() ? "" : " ") + scope;
  if (!scopes.empty()) add_field(request.body, "scope", scopes);
  for (const auto& [name, value] : config_.endpoint_params) add_field(request.body, name, value);
  if (in_body) {
    add_field(request.body, "client_id", config_.client_id);
    add_field(request.body, "client_secret", secret);
  } else {
    // RFC 6749, 2.3.1: both are form-encoded first.
    request.headers.add("Authorization", basic_credentials(percent_encode(config_.client_id),
                                                           percent_encode(secret)));
  }
  co_return co_await client_.send(std::move(request));
}

asio::awaitable<Result<OAuth2Token::Token>> OAuth2Token::fetch(const std::string& secret,
                                                               milliseconds timeout) {
  // Some endpoints take the credentials only in the body; those that follow the RFC take a header.
  auto response = co_await ask(secret, false, timeout);
  if (response && (response->status == 400 || response->status == 401)) {
    response = co_await ask(secret, true, timeout);
  }
  if (!response) co_return fail(std::move(response).error().with_context("token endpoint"));
  if (response->status != 200) co_return fail(Code::kUnauthenticated, refusal(*response));
  const auto answer = parse_json(response->body);
  if (!answer.is_object() || !answer.contains("access_token") ||
      !answer["access_token"].is_string() || answer["access_token"] == "") {
    co_return fail(Code::kUnauthenticated,
                   "token endpoint: the answer is no JSON object with an access_token");
  }
  Token token;
  token.authorization = "Bearer " + answer["access_token"].get<std::string>();
  token.secret = secret;
  const int64_t life_ms = life_seconds(answer) * 1000;
  // A short life is used for most of it, rather than not at all.
  if (life_ms > 0)
    token.ends_at_ms = clock_.monotonic_ms() + std::max(life_ms - kEndsEarlyMs, life_ms / 2);
  co_return token;
}

}  // namespace binnacle::net
