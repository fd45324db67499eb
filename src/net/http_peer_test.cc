// A peer that is reached as a configuration says.
#include "net/http_peer.h"

#include "base/fault_file_system.h"
#include "net/coroutine_test_loop.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string json_answer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string line(const std::string& request, const std::string& name) {
  const size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t from = at + name.size() + 4;
  return request.substr(from, request.find("\r\n", from) - from);
}

class HttpPeerTest : public testing::Test {
 protected:
  // Answers each request by `answer`, which sees it; keeps them all.
  std::unique_ptr<ScriptedPeer> serve(std::function<std::string(const std::string&)> answer) {
    return std::make_unique<ScriptedPeer>(
        loop_, [this, answer](TestSocket& socket, int) -> asio::awaitable<void> {
          for (std::string request; !(request = co_await read_request(socket)).empty();) {
            seen_.push_back(request);
            co_await say(socket, answer(request));
          }
        });
  }
  std::unique_ptr<ScriptedPeer> serve() {
    return serve([](const std::string&) { return std::string(kHello); });
  }
  Result<Response> get(HttpPeer& peer, const std::string& url) {
    return loop_.run(peer.send({.url = url, .timeout = milliseconds(5000)}));
  }
  Result<Response> get(const HttpClientConfig& config, const std::string& url) {
    HttpPeer peer(config, files_, clock_);
    return get(peer, url);
  }
  void write(const std::string& path, const std::string& text) {
    CHECK(files_.write_file_atomically(path, text).has_value());
  }

  FaultFileSystem files_;
  SimulatedClock clock_;
  TestLoop loop_;
  std::vector<std::string> seen_;
};

TEST_F(HttpPeerTest, SendsCredentialsAndHeaders) {
  const auto server = serve();
  ASSERT_TRUE(get({}, server->url()));
  ASSERT_TRUE(get({.basic_auth = BasicAuth{.username = "me", .password = "word"}}, server->url()));
  ASSERT_TRUE(
      get({.authorization = Authorization{.type = "Custom", .credentials = "abc"}}, server->url()));
  HttpClientConfig named;
  named.headers = {{"X-Tenant", "7"}, {"X-Tenant", "8"}};
  ASSERT_TRUE(get(named, server->url()));
  ASSERT_EQ(seen_.size(), 4U);
  EXPECT_EQ(line(seen_[0], "Authorization"), "");
  EXPECT_EQ(line(seen_[1], "Authorization"), "Basic bWU6d29yZA==");
  EXPECT_EQ(line(seen_[2], "Authorization"), "Custom abc");
  EXPECT_NE(seen_[3].find("X-Tenant: 7\r\nX-Tenant: 8\r\n"), std::string::npos) << seen_[3];
}

TEST_F(HttpPeerTest, ReadsFilesForEachRequest) {
  const auto server = serve();
  write("/token", "one\n");
  write("/tenant", " blue ");
  HttpClientConfig config;
  config.authorization = Authorization{.credentials_file = "/token"};
  config.header_files = {{"X-Tenant", "/tenant"}};
  HttpPeer peer(config, files_, clock_);
  ASSERT_TRUE(get(peer, server->url()));
  write("/token", "two\n");
  ASSERT_TRUE(get(peer, server->url()));
  EXPECT_EQ(line(seen_[0], "Authorization"), "Bearer one");
  EXPECT_EQ(line(seen_[0], "X-Tenant"), "blue");
  EXPECT_EQ(line(seen_[1], "Authorization"), "Bearer two");

  ASSERT_TRUE(files_.remove("/token"));
  const auto missing = get(peer, server->url());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kUnauthenticated);
  EXPECT_NE(missing.error().message.find("/token"), std::string::npos) << missing.error().message;
  EXPECT_EQ(seen_.size(), 2U);
}

TEST_F(HttpPeerTest, FollowsRedirectsButTakesNoSecretsElsewhere) {
  const auto far = serve();
  const auto near = serve([&far](const std::string& request) -> std::string {
    if (request.starts_with("GET /here")) return std::string(kHello);
    const bool stays = request.starts_with("GET /stay");
    return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " +
           (stays ? "/here" : far->url("/there")) + "\r\n\r\n";
  });
  HttpClientConfig config;
  config.basic_auth = BasicAuth{.username = "me", .password = "word"};
  config.headers = {{"X-Secret", "s"}};
  EXPECT_EQ(get(config, near->url("/stay"))->status, 200);
  EXPECT_EQ(get(config, near->url("/go"))->status, 200);
  ASSERT_EQ(seen_.size(), 4U);
  EXPECT_NE(line(seen_[1], "Authorization"), "") << "the same origin gets them again";
  EXPECT_EQ(line(seen_[1], "X-Secret"), "s");
  EXPECT_NE(line(seen_[2], "Authorization"), "");
  EXPECT_TRUE(seen_[3].starts_with("GET /there"));
  EXPECT_EQ(line(seen_[3], "Authorization"), "");
  EXPECT_EQ(line(seen_[3], "X-Secret"), "");

  config.follow_redirects = false;
  EXPECT_EQ(get(config, near->url("/go"))->status, 302);
}

TEST_F(HttpPeerTest, GoesThroughTheConfiguredProxy) {
  const auto proxy = serve();
  const auto server = serve();
  HttpClientConfig config;
  config.proxy_url = proxy->url("");
  ASSERT_TRUE(get(config, "http://far.example/x"));
  EXPECT_TRUE(seen_.at(0).starts_with("GET http://far.example/x HTTP/1.1\r\n"));
  ASSERT_TRUE(get(config, server->url("/y")));
  EXPECT_EQ(proxy->connections(), 2) << "loopback too, unless no_proxy is given";
  config.no_proxy = "other.example,127.0.0.0/8";
  ASSERT_TRUE(get(config, server->url("/y")));
  EXPECT_EQ(server->connections(), 1);
  config.proxy_url = "socks5://127.0.0.1:1";
  const auto strange = get(config, "http://far.example/x");
  ASSERT_FALSE(strange);
  EXPECT_NE(strange.error().message.find("proxy_url"), std::string::npos);
}

class TokenTest : public HttpPeerTest {
 protected:
  OAuth2 oauth(const ScriptedPeer& endpoint) {
    OAuth2 made;
    made.client_id = "id x";
    made.client_secret = "word";
    made.scopes = {"read", "write"};
    made.token_url = endpoint.url("/token");
    made.endpoint_params = {{"audience", "a&b"}};
    return made;
  }
  int asked() const {
    return static_cast<int>(std::ranges::count_if(
        seen_, [](const std::string& text) { return text.starts_with("POST /token"); }));
  }
};

TEST_F(TokenTest, IsFetchedOnceAndAnewBeforeItEnds) {
  int number = 0;
  const auto endpoint = serve([&number](const std::string&) {
    return json_answer("200 OK", R"({"access_token":"t)" + std::to_string(++number) +
                                     R"(","token_type":"bearer","expires_in":"60"})");
  });
  const auto server = serve();
  HttpPeer peer({.oauth2 = oauth(*endpoint)}, files_, clock_);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(get(peer, server->url()));
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(line(seen_[0], "Authorization"), "Basic aWQlMjB4OndvcmQ=");
  EXPECT_TRUE(
      seen_[0].ends_with("\r\n\r\ngrant_type=client_credentials&scope=read%20write&audience=a%26b"))
      << seen_[0];
  EXPECT_EQ(line(seen_.back(), "Authorization"), "Bearer t1");
  clock_.advance_ms(49'000);
  ASSERT_TRUE(get(peer, server->url()));
  EXPECT_EQ(asked(), 1);
  clock_.advance_ms(2'000);
  ASSERT_TRUE(get(peer, server->url()));
  EXPECT_EQ(asked(), 2);
  EXPECT_EQ(line(seen_.back(), "Authorization"), "Bearer t2");
}

TEST_F(TokenTest, OneOfManyRequestsFetchesForAll) {
  const auto endpoint =
      serve([](const std::string&) { return json_answer("200 OK", R"({"access_token":"t"})"); });
  const auto server = serve();
  HttpPeer peer({.oauth2 = oauth(*endpoint)}, files_, clock_);
  int done = 0;
  for (int i = 0; i < 5; ++i) {
    loop_.start([](HttpPeer& to, std::string url, int& count) -> asio::awaitable<void> {
      const auto response = co_await to.send({.url = url});
      if (response && response->status == 200) ++count;
    }(peer, server->url(), done));
  }
  loop_.run_until([&done] { return done == 5; });
  EXPECT_EQ(asked(), 1);
}

TEST_F(TokenTest, IsFetchedAnewWhenRefusedOrWhenTheSecretChanged) {
  const auto endpoint =
      serve([](const std::string&) { return json_answer("200 OK", R"({"access_token":"t"})"); });
  bool refuse = false;
  const auto server = serve([&refuse](const std::string&) {
    return refuse ? "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" : std::string(kHello);
  });
  write("/secret", "one");
  OAuth2 config = oauth(*endpoint);
  config.client_secret = "";
  config.client_secret_file = "/secret";
  HttpPeer peer({.oauth2 = config}, files_, clock_);
  ASSERT_TRUE(get(peer, server->url()));
  refuse = true;
  EXPECT_EQ(get(peer, server->url())->status, 401);
  EXPECT_EQ(asked(), 1);
  refuse = false;
  ASSERT_TRUE(get(peer, server->url()));
  EXPECT_EQ(asked(), 2);
  write("/secret", "two");
  ASSERT_TRUE(get(peer, server->url()));
  EXPECT_EQ(asked(), 3);
}

TEST_F(TokenTest, ARefusalNamesTheEndpointAndNoSecret) {
  const auto server = serve();
  const std::pair<std::string, std::string> answers[] = {
      {json_answer("401 Unauthorized", R"({"error":"invalid_client"})"), "invalid_client"},
      {json_answer("500 Oops", "word"), "HTTP status 500"},
      {json_answer("200 OK", R"({"token":"x"})"), "access_token"},
      {json_answer("200 OK", "<html>"), "access_token"}};
  for (const auto& [answer, wanted] : answers) {
    const auto endpoint = serve([&answer](const std::string&) { return answer; });
    const auto response = get({.oauth2 = oauth(*endpoint)}, server->url());
    ASSERT_FALSE(response) << answer;
    EXPECT_EQ(response.error().code, Code::kUnauthenticated);
    EXPECT_NE(response.error().message.find(wanted), std::string::npos) << response.error().message;
    EXPECT_EQ(response.error().message.find("word"), std::string::npos);
  }
  EXPECT_EQ(server->connections(), 0);
}

TEST_F(TokenTest, CredentialsGoInTheBodyWhereTheHeaderIsRefused) {
  const auto endpoint = serve([](const std::string& request) {
    return request.find("client_secret=word") != std::string::npos
               ? json_answer("200 OK", R"({"access_token":"t"})")
               : json_answer("401 Unauthorized", "{}");
  });
  const auto server = serve();
  EXPECT_EQ(get({.oauth2 = oauth(*endpoint)}, server->url())->status, 200);
}

}  // namespace
}  // namespace binnacle::net
