#include "collect/discovery/source_config_yaml.h"

#include <gmock/gmock.h>

namespace binnacle::collect::discovery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<SourceConfig> read(YamlDocument& document) {
  YamlMap map(document.root());
  auto sources = read_sources(map);
  check_static_targets(map, sources);
  map.finish();
  return sources;
}

std::vector<SourceConfig> read(std::string_view yaml) {
  YamlDocument document("/etc/p/a.yml", yaml);
  auto sources = read(document);
  EXPECT_TRUE(document.status()) << document.status().error().message;
  return sources;
}

std::string problem_of(std::string_view yaml) {
  YamlDocument document("a.yml", yaml);
  (void)read(document);
  const Status status = document.status();
  return status ? "" : status.error().message;
}

TEST(SourceConfigYaml, ReadsEveryMechanism) {
  const auto sources = read(R"(
static_configs:
- targets: [a:1, b:2]
  labels: {env: prod}
- targets: [c:3]
file_sd_configs: [{files: [t/*.json, /x.yml], refresh_interval: 10s}]
http_sd_configs: [{url: 'http://sd/x', basic_auth: {username: me}}]
dns_sd_configs: [{names: [_a._tcp.x], type: srv}, {names: [y], type: A, port: 80}]
kubernetes_sd_configs:
- role: endpoints
  namespaces: {own_namespace: true, names: [n]}
  selectors: [{role: pod, label: app=x}]
  attach_metadata: {node: true}
)");
  ASSERT_EQ(sources.size(), 6U);
  const auto& fixed = std::get<StaticConfig>(sources[0].config);
  ASSERT_EQ(fixed.groups.size(), 2U);
  EXPECT_EQ(fixed.groups[0].targets[1].get("__address__"), "b:2");
  EXPECT_EQ(fixed.groups[0].labels.get("env"), "prod");
  EXPECT_EQ(fixed.groups[1].source, "1");
  const auto& file = std::get<FileSdConfig>(sources[1].config);
  EXPECT_THAT(file.files, ElementsAre("/etc/p/t/*.json", "/x.yml"));
  EXPECT_EQ(file.refresh_interval_ms, 10'000);
  EXPECT_EQ(std::get<HttpSdConfig>(sources[2].config).http.basic_auth->username, "me");
  EXPECT_EQ(std::get<DnsSdConfig>(sources[3].config).type, "SRV");
  EXPECT_EQ(std::get<DnsSdConfig>(sources[4].config).port, 80);
  const auto& kubernetes = std::get<KubernetesSdConfig>(sources[5].config);
  EXPECT_EQ(kubernetes.role, "endpoints");
  EXPECT_TRUE(kubernetes.own_namespace && kubernetes.attach_node);
  EXPECT_EQ(kubernetes.selectors[0].label, "app=x");
}

TEST(SourceConfigYaml, TheKeyTellsWhetherASourceChanged) {
  const auto key = [](std::string_view yaml) { return read(yaml).at(0).key; };
  EXPECT_EQ(key("file_sd_configs: [{files: [a.json]}]"),
            key("file_sd_configs:\n- files:\n  - a.json\n"));
  EXPECT_NE(key("file_sd_configs: [{files: [a.json]}]"),
            key("file_sd_configs: [{files: [b.json]}]"));
}

TEST(SourceConfigYaml, RefusesWhatCannotWork) {
  EXPECT_THAT(problem_of("static_configs: [{targets: ['http://a/m']}]"),
              HasSubstr("no host and port (http://a/m)"));
  EXPECT_THAT(problem_of("static_configs: [{target: [a]}]"), HasSubstr("did you mean targets?"));
  EXPECT_THAT(problem_of("static_configs: [~]"),
              HasSubstr("static_configs[0]: empty target group"));
  EXPECT_THAT(problem_of("file_sd_configs: [{files: [a.txt]}]"), HasSubstr("(a.txt)"));
  EXPECT_THAT(problem_of("file_sd_configs: [{files: ['*/a.json']}]"), HasSubstr("last part"));
  EXPECT_THAT(problem_of("file_sd_configs: [{}]"), HasSubstr("files is missing"));
  EXPECT_THAT(problem_of("http_sd_configs: [{url: 'ftp://x'}]"), HasSubstr("no URL"));
  EXPECT_THAT(problem_of("dns_sd_configs: [{names: [a], type: A}]"), HasSubstr("port is missing"));
  EXPECT_THAT(problem_of("dns_sd_configs: [{names: [a], type: TXT}]"), HasSubstr("(TXT)"));
  EXPECT_THAT(problem_of("kubernetes_sd_configs: [{role: pods}]"),
              HasSubstr("unknown value (pods)"));
  EXPECT_THAT(problem_of("kubernetes_sd_configs: [{role: pod, bearer_token: x}]"),
              HasSubstr("need an api_server"));
  EXPECT_THAT(problem_of("kubernetes_sd_configs: [{role: node, selectors: [{role: pod}]}]"),
              HasSubstr("cannot be selected here"));
}

TEST(SourceConfigYaml, NamesMechanismsThatDoNotExistHere) {
  YamlDocument document("a.yml", "consul_sd_configs: [{server: x}]\n");
  EXPECT_TRUE(read(document).empty());
  EXPECT_TRUE(document.status());
  EXPECT_THAT(document.warnings().lines(),
              ElementsAre(HasSubstr("consul_sd_configs: has no effect")));
}

}  // namespace
}  // namespace binnacle::collect::discovery
