#include "app/agent_settings.h"

#include <gtest/gtest.h>

#include "app/config_keys.h"

namespace binnacle::app {
namespace {

Config config_of(std::string_view yaml) {
  auto config = Config::parse(config_schema(), yaml, "test.yaml", process_config_sources());
  EXPECT_TRUE(config);
  return std::move(*config);
}

TEST(AgentSettings, TheCommandLineStandsOverTheFile) {
  const Config config = config_of(
      "agent: {server: 'http://file:1', name: file, role: file, cluster: file, interval: 5s}\n");
  const AgentArgs args{
      .server = "https://line:2/", .name = "line", .cluster = "lab", .data_dir = "/x"};
  const auto settings = agent_settings(args, config, "machine");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->server_url, "https://line:2");
  EXPECT_EQ(settings->name, "line");
  EXPECT_EQ(settings->role, "file");
  EXPECT_EQ(settings->cluster, "lab");
  EXPECT_EQ(settings->folder, "/x");
  EXPECT_EQ(settings->interval_ms, 5'000);
}

TEST(AgentSettings, ANodeIsNamedAfterItsMachine) {
  const auto settings = agent_settings({.server = "http://s:1"}, config_of(""), "machine");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->name, "machine");
  EXPECT_EQ(settings->interval_ms, 10'000);
  EXPECT_TRUE(settings->folder.ends_with("/agent"));
}

TEST(AgentSettings, EchoesAreAnsweredWhereTheServerIs) {
  const auto listens = [](const char* server, const char* yaml) {
    const auto settings = agent_settings({.server = server}, config_of(yaml), "machine");
    return settings ? settings->echo_listen : settings.error().message;
  };
  EXPECT_EQ(listens("http://10.0.0.1:8080", ""), ":0");
  EXPECT_EQ(listens("http://localhost:8080", ""), "127.0.0.1:0");
  EXPECT_EQ(listens("http://[::1]:8080", ""), "[::1]:0");
  EXPECT_EQ(listens("http://10.0.0.1:8080", "agent: {echo_listen: ':4711'}\n"), ":4711");
  EXPECT_EQ(listens("http://10.0.0.1:8080", "agent: {echo_listen: 'off'}\n"), "");
}

TEST(AgentSettings, ProbesAreTakenWhereTheServerIs) {
  const auto listens = [](const char* yaml) {
    const auto settings = agent_settings({.server = "http://127.0.0.1:1"}, config_of(yaml), "m");
    return settings ? settings->probe_listen : settings.error().message;
  };
  EXPECT_EQ(listens(""), "127.0.0.1:0");
  EXPECT_EQ(listens("agent: {probe_listen: ':4711'}\n"), ":4711");
  EXPECT_EQ(listens("agent: {probe_listen: 'off'}\n"), "");
  EXPECT_EQ(listens("agent: {probe_listen: ''}\n"), "");
}

TEST(AgentSettings, WhatCannotWorkIsNamed) {
  const auto message = [](const AgentArgs& args) {
    const auto settings = agent_settings(args, config_of(""), "machine");
    return settings ? "" : settings.error().message;
  };
  EXPECT_NE(message({}).find("--server"), std::string::npos);
  for (const char* bad : {"host:1", "ftp://h:1", "http://h:1/path", "http://u:p@h:1", "http://"})
    EXPECT_NE(message({.server = bad}).find("http://host:port"), std::string::npos) << bad;
  EXPECT_NE(message({.server = "http://h:1", .name = std::string(129, 'n')}).find("--name"),
            std::string::npos);
}

}  // namespace
}  // namespace binnacle::app
