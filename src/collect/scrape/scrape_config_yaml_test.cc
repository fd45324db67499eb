#include "collect/scrape/scrape_config_yaml.h"

#include <gmock/gmock.h>

namespace binnacle::collect::scrape {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

ScrapeConfig read(YamlDocument& document, const ScrapeDefaults& defaults = {}) {
  return read_scrape_config(document.root(), defaults);
}

std::string problem_of(std::string_view yaml, const ScrapeDefaults& defaults = {}) {
  YamlDocument document("a.yml", yaml);
  (void)read(document, defaults);
  const Status status = document.status();
  return status ? "" : status.error().message;
}

TEST(ScrapeConfigYaml, ReadsAJob) {
  YamlDocument document("/etc/p/a.yml", R"(
job_name: node
scrape_interval: 15s
metrics_path: /federate
scheme: https
params:
  match[]: [up, '{job="x"}']
  a: [b]
honor_labels: true
honor_timestamps: false
enable_compression: false
body_size_limit: 10MB
sample_limit: 5
tls_config: {ca_file: ca.pem}
static_configs: [{targets: [a:1]}]
relabel_configs: [{source_labels: [__address__], target_label: x}]
metric_relabel_configs: [{action: labeldrop, regex: y}]
)");
  const ScrapeConfig config = read(document, {.label_limit = 30, .target_limit = 9});
  ASSERT_TRUE(document.status()) << document.status().error().message;
  const JobConfig& job = config.job;
  EXPECT_EQ(job.job_name, "node");
  EXPECT_EQ(job.interval_ms, 15'000);
  EXPECT_EQ(job.timeout_ms, 10'000);
  EXPECT_EQ(job.metrics_path, "/federate");
  EXPECT_EQ(job.scheme, "https");
  EXPECT_THAT(job.params,
              ElementsAre(Pair("match[]", "up"), Pair("match[]", "{job=\"x\"}"), Pair("a", "b")));
  EXPECT_TRUE(job.honor_labels);
  EXPECT_FALSE(job.honor_timestamps);
  EXPECT_FALSE(job.enable_compression);
  EXPECT_EQ(job.body_size_limit, 10U << 20);
  EXPECT_EQ(job.sample_limit, 5U);
  EXPECT_EQ(job.label_limit, 30U);
  EXPECT_EQ(job.target_limit, 9U);
  EXPECT_EQ(job.http.tls.ca_file, "/etc/p/ca.pem");
  EXPECT_EQ(job.relabel.size(), 1U);
  EXPECT_EQ(job.metric_relabel.size(), 1U);
  ASSERT_EQ(config.sources.size(), 1U);
  EXPECT_EQ(config.sources[0].mechanism, "static");
}

TEST(ScrapeConfigYaml, TheTimeoutIsAtMostTheInterval) {
  YamlDocument document("a.yml", "{job_name: a, scrape_interval: 5s}");
  EXPECT_EQ(read(document).job.timeout_ms, 5'000);
  EXPECT_THAT(problem_of("{job_name: a, scrape_interval: 5s, scrape_timeout: 6s}"),
              HasSubstr("longer than scrape_interval"));
  EXPECT_THAT(problem_of("{job_name: a, scrape_timeout: 16s}", {.interval_ms = 15'000}),
              HasSubstr("longer than scrape_interval"));
}

TEST(ScrapeConfigYaml, RefusesWhatCannotWork) {
  EXPECT_THAT(problem_of("{}"), HasSubstr("job_name is missing"));
  EXPECT_THAT(problem_of("~"), HasSubstr("empty scrape config"));
  EXPECT_THAT(problem_of("{job_name: a, schema: http}"), HasSubstr("did you mean scheme?"));
  EXPECT_THAT(problem_of("{job_name: a, scheme: ftp}"), HasSubstr("unknown value (ftp)"));
  EXPECT_THAT(problem_of("{job_name: a, params: {x: y}}"), HasSubstr("params.x: a list is wanted"));
  EXPECT_THAT(problem_of("{job_name: a, scrape_protocols: [Text]}"), HasSubstr("(Text)"));
  EXPECT_THAT(problem_of("{job_name: a, static_configs: [{targets: ['http://x/']}]}"),
              HasSubstr("no host and port"));
  EXPECT_EQ(problem_of("{job_name: a, static_configs: [{targets: ['http://x/']}], "
                       "relabel_configs: [{target_label: a}]}"),
            "");
}

TEST(ScrapeConfigYaml, ProtocolsAreThoseOfTheJobOrOfAll) {
  YamlDocument global("a.yml", "{scrape_protocols: [PrometheusText0.0.4, OpenMetricsText0.0.1]}");
  YamlMap map(global.root());
  const ScrapeDefaults defaults = read_scrape_defaults(map);
  const std::vector<ScrapeProtocol> of_all = {ScrapeProtocol::kText004,
                                              ScrapeProtocol::kOpenMetrics001};
  EXPECT_EQ(defaults.protocols, of_all);
  YamlDocument silent("a.yml", "{job_name: a}");
  EXPECT_EQ(read(silent, defaults).job.protocols, of_all);
  EXPECT_EQ(read(silent, defaults).job.fallback_protocol, std::nullopt);
  YamlDocument own("a.yml",
                   "{job_name: a, scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0], "
                   "fallback_scrape_protocol: PrometheusText0.0.4}");
  const JobConfig job = read(own, defaults).job;
  EXPECT_EQ(job.protocols, std::vector{ScrapeProtocol::kOpenMetrics100});
  EXPECT_EQ(job.fallback_protocol, ScrapeProtocol::kText004);
  EXPECT_TRUE(own.status());
  ASSERT_FALSE(own.warnings().empty());
  EXPECT_THAT(own.warnings().lines().at(0), HasSubstr("protobuf is not spoken"));
  EXPECT_THAT(problem_of("{job_name: a, scrape_protocols: []}"), HasSubstr("no protocol"));
  EXPECT_THAT(problem_of("{job_name: a, fallback_scrape_protocol: Text}"), HasSubstr("(Text)"));
}

TEST(ScrapeConfigYaml, ReadsTheDefaults) {
  YamlDocument document("a.yml", "{scrape_interval: 5s, sample_limit: 7, body_size_limit: 1KB}");
  YamlMap map(document.root());
  const ScrapeDefaults defaults = read_scrape_defaults(map);
  map.finish();
  ASSERT_TRUE(document.status());
  EXPECT_EQ(defaults.interval_ms, 5'000);
  EXPECT_EQ(defaults.timeout_ms, 5'000);
  EXPECT_EQ(defaults.sample_limit, 7U);
  EXPECT_EQ(defaults.body_size_limit, 1024U);
}

}  // namespace
}  // namespace binnacle::collect::scrape
