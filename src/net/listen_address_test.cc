#include "net/listen_address.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

TEST(ListenAddress, Parses) {
  const auto plain = ListenAddress::parse("127.0.0.1:8080").value();
  EXPECT_EQ(plain.host, "127.0.0.1");
  EXPECT_EQ(plain.port, 8080);
  const auto all = ListenAddress::parse(":0").value();
  EXPECT_EQ(all.host, "");
  EXPECT_EQ(all.port, 0);
  EXPECT_EQ(ListenAddress::parse("[::1]:9").value().host, "::1");
  EXPECT_EQ(ListenAddress::parse("unix:/run/b:1").value().unix_path, "/run/b:1");
}

TEST(ListenAddress, RefusesWithWhatWouldBeRight) {
  for (const char* text : {"", "x", ":", "h:", "h:-1", "h:65536", "h:1x", "[::1]", "[]:1", "[::1:1",
                           "::1:1", "unix:"}) {
    const auto address = ListenAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_NE(address.error().message.find("host:port"), std::string::npos);
  }
  EXPECT_FALSE(ListenAddress::parse("unix:/" + std::string(200, 'a')));
}

TEST(FormatHostPort, PutsIPv6InBrackets) {
  EXPECT_EQ(format_host_port("::1", 80), "[::1]:80");
  EXPECT_EQ(format_host_port("127.0.0.1", 80), "127.0.0.1:80");
}

}  // namespace
}  // namespace binnacle::net
