#include "app/config_keys.h"

#include "app/config_commands.h"
#include "base/config.h"
#include "base/fault_file_system.h"
#include "net/router.h"
#include "net/server.h"
#include "store/access/access_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace binnacle::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigKeysTest : public ::testing::Test {
 protected:
  tl::expected<Config, ConfigProblems> parse(std::string_view yaml) {
    return Config::parse(config_schema(), yaml, "b.yaml", sources_);
  }
  std::vector<std::string> problems(std::string_view yaml) {
    const auto config = parse(yaml);
    return config ? std::vector<std::string>() : config.error().lines();
  }

  FaultFileSystem files_;
  ConfigSources sources_{[](const std::string&) { return std::nullopt; }, files_};
};

TEST_F(ConfigKeysTest, DefaultsAreOneLoopbackListenerWithAllGroups) {
  const auto config = parse("");
  ASSERT_TRUE(config);
  ASSERT_EQ(config->list_size("server.listen"), 1u);
  const Config listener = config->at("server.listen", 0);
  EXPECT_EQ(listener.get_string("address"), "127.0.0.1:8080");
  EXPECT_EQ(listener.get_strings("groups").size(), net::kRouteGroups);
  EXPECT_EQ(config->get_string("server.grpc_listen"), "127.0.0.1:8081");
  EXPECT_FALSE(config->get_bool("server.insecure"));
}

// The words of the config are those of net: a group that net learns must get its key, and the rate
// of the access room.
TEST_F(ConfigKeysTest, NamesEveryRouteGroupOfNet) {
  const auto config = parse("");
  ASSERT_TRUE(config);
  const auto& names = config->at("server.listen", 0).get_strings("groups");
  const store::access::AccessOptions access;
  for (size_t i = 0; i < net::kRouteGroups; ++i) {
    const std::string name(net::route_group_name(static_cast<net::RouteGroup>(i)));
    EXPECT_EQ(names.at(i), name);
    EXPECT_EQ(config->get_float("server.rate_limit." + name), access.rate_limits[i].per_second);
  }
}

TEST_F(ConfigKeysTest, HasTheDefaultsOfNet) {
  const auto config = parse("");
  ASSERT_TRUE(config);
  const net::ServerLimits server;
  const net::RouteLimits route;
  const auto size = [&](const char* path) { return static_cast<size_t>(config->get_bytes(path)); };
  EXPECT_EQ(static_cast<size_t>(config->get_int("server.limits.max_connections")),
            server.max_connections);
  EXPECT_EQ(size("server.limits.max_header_bytes"), server.max_header_bytes);
  EXPECT_EQ(config->get_duration_ms("server.limits.header_timeout"), server.header_timeout.count());
  EXPECT_EQ(config->get_duration_ms("server.limits.idle_timeout"), server.idle_timeout.count());
  EXPECT_EQ(config->get_duration_ms("server.limits.write_timeout"), server.write_timeout.count());
  EXPECT_EQ(size("server.limits.min_body_bytes_per_second"), server.min_body_bytes_per_second);
  EXPECT_EQ(size("server.limits.compress_from_bytes"), server.compress_from_bytes);
  EXPECT_EQ(size("server.limits.max_body_bytes"), route.max_body_bytes);
  EXPECT_EQ(config->get_duration_ms("server.limits.request_timeout"), route.timeout.count());
  EXPECT_EQ(static_cast<size_t>(config->get_int("server.limits.max_concurrent")),
            route.max_concurrent);
}

TEST_F(ConfigKeysTest, ChecksListeners) {
  EXPECT_THAT(
      problems(R"(server:
  listen:
    - address: 127.0.0.1:1
      tls: {certificate_file: c.pem}
    - address: 127.0.0.1:2
      tls: {key_file: k.pem}
    - address: 127.0.0.1:3
      tls: {client_ca_file: ca.pem}
    - address: 127.0.0.1:4
      tls: {certificate_file: c.pem, key_file: k.pem, require_client_certificate: true}
    - address: 127.0.0.1:1
)"),
      ElementsAre(HasSubstr("b.yaml:4: server.listen[0].tls.certificate_file: tls.key_file"),
                  HasSubstr("b.yaml:6: server.listen[1].tls.key_file: tls.certificate_file"),
                  HasSubstr("b.yaml:8: server.listen[2].tls.client_ca_file: tls.certificate"),
                  HasSubstr("b.yaml:10: server.listen[3].tls.require_client_certificate"),
                  HasSubstr("b.yaml:11: server.listen[4].address: bound already "
                            "(127.0.0.1:1): server.listen[0] has it")));
  EXPECT_THAT(problems(R"(server:
  listen:
    - {address: '127.0.0.1:0'}
    - {address: '127.0.0.1:0'}
    - {address: 'x:1', tls: {certificate_file: c, key_file: k, client_ca_file: a,
                             require_client_certificate: true}}
)"),
              IsEmpty());
}

TEST_F(ConfigKeysTest, AsksForAListener) {
  EXPECT_THAT(problems("\nserver: {listen: []}"),
              ElementsAre("b.yaml:2: server.listen: no entry: give one, or remove the line for "
                          "127.0.0.1:8080"));
}

TEST_F(ConfigKeysTest, LockoutsGrow) {
  EXPECT_THAT(
      problems("access:\n  lockout_base: 1m\n  lockout_max: 59s\n"),
      ElementsAre(HasSubstr("b.yaml:3: access.lockout_max: shorter than access.lockout_base")));
  EXPECT_THAT(problems("access: {lockout_max: 1s}"), ElementsAre(HasSubstr("shorter")));
  EXPECT_THAT(problems("access: {lockout_base: 1m, lockout_max: 1m}"), IsEmpty());
}

TEST_F(ConfigKeysTest, AttributesArePromotedInOneWay) {
  EXPECT_THAT(problems("collect: {otlp: {promote_all_resource_attributes: true, "
                       "promote_resource_attributes: [a]}}"),
              ElementsAre(HasSubstr("collect.otlp.promote_resource_attributes: not beside")));
  EXPECT_THAT(problems("collect: {otlp: {ignore_resource_attributes: [a]}}"),
              ElementsAre(HasSubstr("collect.otlp.ignore_resource_attributes: not beside")));
  EXPECT_THAT(problems("collect: {otlp: {promote_all_resource_attributes: true, "
                       "ignore_resource_attributes: [a]}}"),
              IsEmpty());
}

TEST_F(ConfigKeysTest, ChecksSingleValues) {
  EXPECT_THAT(
      problems("collect: {host: {disk_exclude: '('}}"),
      ElementsAre(HasSubstr("collect.host.disk_exclude: value not usable ((): mend the regex")));
  EXPECT_THAT(problems("log: {components: {net: loud}}"),
              ElementsAre(HasSubstr("log.components: unknown choice (loud)")));
  EXPECT_THAT(problems("server: {allowed_hosts: ['http://x']}"),
              ElementsAre(HasSubstr("write a host name or address, with :port")));
  EXPECT_THAT(problems("server: {rate_limit: {api: -1}}"), ElementsAre(HasSubstr("out of range")));
  EXPECT_THAT(problems("collect: {host: {network_exclude: ''}}"), IsEmpty());
}

TEST(CheckListenAddress, TakesWhatNetBinds) {
  for (const char* good : {"127.0.0.1:8080", ":80", "[::1]:8080", "localhost:0", "[fe80::1%eth0]:1",
                           "unix:/run/b.sock", "host-1.example.com:65535"}) {
    EXPECT_EQ(check_listen_address(good), "") << good;
  }
  for (const char* bad : {"", "8080", "127.0.0.1", "::1:8080", "[::1]", "[::1:80", "x:", "x:65536",
                          "x:-1", "x:80a", "http://x:80", "unix:", "[]:1", "[abc]:1"}) {
    EXPECT_NE(check_listen_address(bad), "") << bad;
  }
  EXPECT_EQ(check_door_address(""), "");
  EXPECT_EQ(check_door_address("127.0.0.1:0"), "");
  EXPECT_NE(check_door_address("unix:/x"), "");
  EXPECT_EQ(check_listen_address("unix:" + std::string(107, 'a')), "");
  EXPECT_NE(check_listen_address("unix:" + std::string(108, 'a')), "");
}

TEST(CheckHostName, TakesNamesAndAddresses) {
  for (const char* good :
       {"example.com", "10.0.0.1", "[::1]", "under_score", "x:80", "[::1]:443"}) {
    EXPECT_EQ(check_host_name(good), "") << good;
  }
  for (const char* bad : {"", "x:", ":80", "x:99999", "x/y", "http://x", "::1", "*.example.com"}) {
    EXPECT_NE(check_host_name(bad), "") << bad;
  }
}

TEST(ConfigDocs, AreTheCommittedFile) {
  auto committed = real_file_system().read_file(BINNACLE_SOURCE_DIR "/docs/configuration.md");
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_TRUE(*committed == config_docs())
      << "docs/configuration.md is not what the table of keys says. Write it anew:\n"
         "  build/dev/bin/binnacle config docs > docs/configuration.md";
}

}  // namespace
}  // namespace binnacle::app
