#include "store/access/host_rules.h"

#include <gtest/gtest.h>

namespace binnacle::store::access {
namespace {

const std::vector<std::string> kNone;
const std::vector<std::string> kAllowed = {"Binnacle.example.org", "other:8443"};

TEST(HostName, TakesThePortAway) {
  EXPECT_EQ(host_name("Example.ORG:8080"), "example.org");
  EXPECT_EQ(host_name("example.org"), "example.org");
  EXPECT_EQ(host_name("[::1]:80"), "::1");
  EXPECT_EQ(host_name("[::1]"), "::1");
  for (const char* broken : {"a:b", "[::1", "[::1]x", "a:80:90", "a:"})
    EXPECT_EQ(host_name(broken), "") << broken;
}

TEST(HostIsOurs, LoopbackOwnAndAllowedNamesAre) {
  const std::string_view listener = "10.0.0.5:8080";
  for (const char* ours :
       {"localhost:8080", "LOCALHOST", "127.0.0.1:9", "[::1]:8080", "10.0.0.5:8080", "10.0.0.5",
        "binnacle.example.org", "BINNACLE.example.org:1", "other:8443", ""}) {
    EXPECT_TRUE(host_is_ours(ours, listener, kAllowed)) << ours;
  }
  for (const char* foreign :
       {"evil.example", "10.0.0.6:8080", "localhost.evil.example", "other:80", "other",
        "127.0.0.1.evil.example", "localhost:8080:1", "[::1", "xlocalhost"}) {
    EXPECT_FALSE(host_is_ours(foreign, listener, kAllowed)) << foreign;
  }
}

TEST(HostIsOurs, AListenerOnAllAddressesTakesAddressesButNoNames) {
  for (const char* listener : {"0.0.0.0:8080", "[::]:8080", ":8080"}) {
    EXPECT_TRUE(host_is_ours("192.168.1.7:8080", listener, kNone)) << listener;
    EXPECT_TRUE(host_is_ours("[fe80::1]:8080", listener, kNone)) << listener;
    EXPECT_FALSE(host_is_ours("evil.example:8080", listener, kNone)) << listener;
    EXPECT_FALSE(host_is_ours("1.2.3.example", listener, kNone)) << listener;
  }
  EXPECT_FALSE(host_is_ours("192.168.1.7:8080", "127.0.0.1:8080", kNone));
}

TEST(OriginIsOurs, SameAuthorityIs) {
  EXPECT_TRUE(origin_is_ours("http://localhost:8080", "localhost:8080", false, kNone));
  EXPECT_TRUE(origin_is_ours("http://LocalHost", "localhost:80", false, kNone));
  EXPECT_TRUE(origin_is_ours("https://h", "h:443", true, kNone));
  EXPECT_TRUE(origin_is_ours("https://h", "h", false, kNone)) << "TLS ended by a proxy";
  EXPECT_TRUE(origin_is_ours("https://binnacle.example.org", "127.0.0.1:8080", false, kAllowed));
}

TEST(OriginIsOurs, OthersAreNot) {
  EXPECT_FALSE(origin_is_ours("null", "localhost:8080", false, kNone));
  EXPECT_FALSE(origin_is_ours("http://localhost:3000", "localhost:8080", false, kNone));
  EXPECT_FALSE(origin_is_ours("http://evil.example", "localhost:8080", false, kNone));
  EXPECT_FALSE(origin_is_ours("http://evil.example:8080", "localhost:8080", false, kAllowed));
  EXPECT_FALSE(origin_is_ours("file://localhost:8080", "localhost:8080", false, kNone));
  EXPECT_FALSE(origin_is_ours("http://", "", false, kNone));
}

TEST(ClientOfAddress, Ipv6ByItsNetwork) {
  EXPECT_EQ(client_of_address("10.0.0.5"), "10.0.0.5");
  EXPECT_EQ(client_of_address("::ffff:10.0.0.5"), "10.0.0.5");
  EXPECT_EQ(client_of_address("2001:db8:1:2::5"), client_of_address("2001:db8:1:2:9:9:9:9"));
  EXPECT_NE(client_of_address("2001:db8:1:2::5"), client_of_address("2001:db8:1:3::5"));
  EXPECT_EQ(client_of_address("2001:db8::1"), client_of_address("2001:db8::2"));
  EXPECT_EQ(client_of_address("::1"), "0:0:0:0::/64");
}

}  // namespace
}  // namespace binnacle::store::access
