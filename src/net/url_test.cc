#include "net/client.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

TEST(Url, ReadsItsParts) {
  struct Case {
    const char* text;
    const char* scheme;
    const char* host;
    int port;
    const char* target;
    const char* authority;
  };
  const Case cases[] = {
      {"http://example.com", "http", "example.com", 80, "/", "example.com"},
      {"HTTPS://Example.COM/a/b?x=1&y=/2#frag", "https", "example.com", 443, "/a/b?x=1&y=/2",
       "example.com"},
      {"http://127.0.0.1:9090/metrics", "http", "127.0.0.1", 9090, "/metrics", "127.0.0.1:9090"},
      {"ws://[::1]:8080/ws", "ws", "::1", 8080, "/ws", "[::1]:8080"},
      {"wss://[2001:DB8::1]", "wss", "2001:db8::1", 443, "/", "[2001:db8::1]"},
      {"http://host?q", "http", "host", 80, "/?q", "host"},
      {"http://host:80/", "http", "host", 80, "/", "host"},
      {"https://host:80/", "https", "host", 80, "/", "host:80"},
      {"http://host:/x", "http", "host", 80, "/x", "host"},
      {"http://my_host.local-1/@x", "http", "my_host.local-1", 80, "/@x", "my_host.local-1"},
  };
  for (const Case& one : cases) {
    const auto url = Url::parse(one.text);
    ASSERT_TRUE(url) << url.error().message;
    EXPECT_EQ(url->scheme, one.scheme) << one.text;
    EXPECT_EQ(url->host, one.host) << one.text;
    EXPECT_EQ(url->port, one.port) << one.text;
    EXPECT_EQ(url->target, one.target) << one.text;
    EXPECT_EQ(url->authority(), one.authority) << one.text;
  }
}

TEST(Url, TakesCredentials) {
  const auto url = Url::parse("http://us%40er:p%3Ass@host:1/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user, "us@er");
  EXPECT_EQ(url->password, "p:ss");
  EXPECT_EQ(url->authority(), "host:1");
}

TEST(Url, RefusesWhatIsNotOne) {
  for (const char* bad :
       {"", "host", "//host/", "ftp://host/", "http://", "http:///path", "http://:80/",
        "http://host:0/", "http://host:65536/", "http://host:8o/", "http://[::1/", "http://[::1]x/",
        "http://[host]/", "http://ho st/", "http://host/a b", "http://host/\r\nEvil: 1",
        "http://host/\xC3\xA9", "http://h\r\nost/"}) {
    const auto url = Url::parse(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, Code::kInvalidArgument);
  }
  const auto secret = Url::parse("http://user:hunter2@host:x/");
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().message.find("hunter2"), std::string::npos) << secret.error().message;
}

}  // namespace
}  // namespace binnacle::net
