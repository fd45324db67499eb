#include "net/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace binnacle::net {
namespace {

using Variables = std::map<std::string, std::string>;

ProxySettings settings(Variables variables) {
  return ProxySettings([&variables](const char* name) { return variables[name]; });
}

// "host:port" of the proxy, "straight", or "error".
std::string way(const Variables& variables, const char* text) {
  const auto proxy = settings(variables).proxy_for(Url::parse(text).value());
  if (!proxy) return "error";
  return *proxy ? (*proxy)->host + ":" + std::to_string((*proxy)->port) : "straight";
}

TEST(Proxy, IsChosenByScheme) {
  const Variables both{{"http_proxy", "http://plain:3128"}, {"HTTPS_PROXY", "secure:3129"}};
  EXPECT_EQ(way(both, "http://host/"), "plain:3128");
  EXPECT_EQ(way(both, "ws://host/"), "plain:3128");
  EXPECT_EQ(way(both, "https://host/"), "secure:3129");
  EXPECT_EQ(way(both, "wss://host/"), "secure:3129");
  EXPECT_EQ(way({{"all_proxy", "http://any:1"}}, "https://host/"), "any:1");
  EXPECT_EQ(way({{"http_proxy", "http://low:1"}, {"HTTP_PROXY", "http://up:1"}}, "http://host/"),
            "low:1");
  EXPECT_EQ(way({}, "http://host/"), "straight");
}

TEST(Proxy, IsNotUsedForLoopback) {
  const Variables proxied{{"http_proxy", "http://proxy:1"}};
  for (const char* url :
       {"http://localhost/", "http://127.0.0.1:80/", "http://127.9.9.9/", "http://[::1]/"}) {
    EXPECT_EQ(way(proxied, url), "straight") << url;
  }
}

TEST(Proxy, LeavesOutWhatNoProxyNames) {
  const auto with = [](const char* no_proxy, const char* url) {
    return way({{"http_proxy", "http://proxy:1"}, {"no_proxy", no_proxy}}, url);
  };
  const char* list =
      "internal, .corp.example ,*.star.example,10.0.0.0/8,192.168.1.7,fd00::/8,host.example:8080";
  for (const char* url :
       {"http://internal/", "http://a.internal/", "http://corp.example/", "http://x.corp.example/",
        "http://x.star.example/", "http://10.1.2.3/", "http://192.168.1.7/", "http://[fd00::1]/",
        "http://host.example:8080/", "http://INTERNAL/"}) {
    EXPECT_EQ(with(list, url), "straight") << url;
  }
  for (const char* url : {"http://notinternal/", "http://internal.example/", "http://11.1.2.3/",
                          "http://192.168.1.8/", "http://[fe00::1]/", "http://host.example/"}) {
    EXPECT_EQ(with(list, url), "proxy:1") << url;
  }
  EXPECT_EQ(with("*", "http://host/"), "straight");
  EXPECT_EQ(with(" , ,", "http://host/"), "proxy:1");
}

TEST(Proxy, SaysWhichVariableIsWrong) {
  for (const char* bad :
       {"socks5://proxy:1", "https://proxy:1", "http://pro xy", "http://proxy:99999"}) {
    const auto proxy =
        settings({{"https_proxy", bad}}).proxy_for(Url::parse("https://host/").value());
    ASSERT_FALSE(proxy) << bad;
    EXPECT_NE(proxy.error().message.find("https_proxy"), std::string::npos);
  }
}

}  // namespace
}  // namespace binnacle::net
