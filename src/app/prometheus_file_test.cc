#include "app/prometheus_file.h"

#include <gmock/gmock.h>

#include "base/check.h"
#include "base/fault_file_system.h"

namespace binnacle::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class PrometheusFileTest : public testing::Test {
 protected:
  PrometheusFileTest() { CHECK(files_.create_directories("/p/jobs").has_value()); }

  void write(const std::string& path, const std::string& text) {
    CHECK(files_.write_file_atomically(path, text).has_value());
  }
  Result<PrometheusFile> load(const std::string& text) {
    write("/p/prometheus.yml", text);
    return load_prometheus_file(files_, "/p/prometheus.yml", [](const std::string& name) {
      return name == "ZONE" ? std::string("eu") : std::string();
    });
  }
  std::string problem_of(const std::string& text) {
    const auto file = load(text);
    return file ? "" : file.error().message;
  }

  FaultFileSystem files_;
};

TEST_F(PrometheusFileTest, ReadsAWholeFile) {
  write("/p/jobs/b.yml", "scrape_configs: [{job_name: b, bearer_token_file: t}]\n");
  const auto file = load(R"(
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  external_labels: {zone: $ZONE, price: $$5, cluster: 'a-${ZONE}'}
rule_files: [rules/*.yml]
scrape_config_files: [jobs/*.yml]
scrape_configs:
- job_name: a
alerting:
  alert_relabel_configs: [{action: labeldrop, regex: replica}]
  alertmanagers:
  - static_configs: [{targets: [am:9093]}]
    path_prefix: /am
    api_version: v2
remote_write:
- url: http://far/write
  name: far
  headers: {X-Tenant: t}
  write_relabel_configs: [{action: drop, source_labels: [a]}]
  queue_config: {max_shards: 5, batch_send_deadline: 1s}
  metadata_config: {send: false}
  authorization: {credentials: c}
remote_read:
- {url: 'http://far/read', required_matchers: {job: old}, read_recent: true}
)");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->global.evaluation_interval_ms, 30'000);
  EXPECT_EQ(file->global.external_labels,
            (model::Labels{{"cluster", "a-eu"}, {"price", "$5"}, {"zone", "eu"}}));
  EXPECT_THAT(file->rule_files, ElementsAre("/p/rules/*.yml"));
  ASSERT_EQ(file->scrape_configs.size(), 2U);
  EXPECT_EQ(file->scrape_configs[0].job.interval_ms, 15'000);
  EXPECT_EQ(file->scrape_configs[1].job.job_name, "b");
  EXPECT_EQ(file->scrape_configs[1].job.http.authorization->credentials_file, "/p/jobs/t");
  EXPECT_EQ(file->alert_relabel.size(), 1U);
  ASSERT_EQ(file->alertmanagers.size(), 1U);
  EXPECT_EQ(file->alertmanagers[0].path_prefix, "/am");
  ASSERT_EQ(file->remote_writes.size(), 1U);
  const collect::ship::ShipperOptions& write = file->remote_writes[0];
  EXPECT_THAT(write.headers, ElementsAre(Pair("X-Tenant", "t")));
  EXPECT_EQ(write.max_shards, 5U);
  EXPECT_EQ(write.batch_send_deadline_ms, 1'000);
  EXPECT_FALSE(write.send_metadata);
  EXPECT_EQ(write.http.authorization->credentials, "c");
  ASSERT_EQ(file->remote_reads.size(), 1U);
  EXPECT_THAT(file->remote_reads[0].required_matchers, ElementsAre(Pair("job", "old")));
  EXPECT_THAT(file->warnings, IsEmpty());
}

TEST_F(PrometheusFileTest, AnEmptyFileIsFine) {
  const auto file = load("");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->global.scrape.interval_ms, 60'000);
}

TEST_F(PrometheusFileTest, NamesEveryProblemAtOnce) {
  write("/p/jobs/b.yml", "scrape_configs: [{job_name: a}]\nrule_files: [x]\n");
  const std::string problems = problem_of(R"(
golbal: {}
scrape_config_files: [jobs/*.yml]
scrape_configs:
- job_name: a
- job_name: a
  relabel_configs: [{action: foo}]
remote_write:
- {url: 'http://x', name: n}
- {url: 'http://x', name: n, queue_config: {min_shards: 9, max_shards: 2}}
)");
  EXPECT_THAT(problems, HasSubstr("prometheus.yml:2: golbal: unknown key: did you mean global?"));
  EXPECT_THAT(problems, HasSubstr("scrape_configs[1]: job_name is taken already (a)"));
  EXPECT_THAT(problems, HasSubstr("scrape_configs[1].relabel_configs[0].action: unknown action"));
  EXPECT_THAT(problems, HasSubstr("jobs/b.yml:1: scrape_configs[0]: job_name is taken"));
  EXPECT_THAT(problems, HasSubstr("jobs/b.yml:2: rule_files: unknown key"));
  EXPECT_THAT(problems, HasSubstr("remote_write[1]: name is taken"));
  EXPECT_THAT(problems, HasSubstr("min_shards is above max_shards"));
}

TEST_F(PrometheusFileTest, NamesWhatHasNoEffect) {
  const auto file = load(R"(
global: {query_log_file: q.log, external_labels: {a: $NOTHING}}
storage: {tsdb: {out_of_order_time_window: 30m}}
tracing: {endpoint: 'x:1'}
remote_write: [{url: 'http://x', sigv4: {}}]
)");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->warnings,
              ElementsAre(HasSubstr("variable NOTHING"), HasSubstr("global.query_log_file"),
                          HasSubstr("storage.tsdb.out_of_order_time_window"),
                          HasSubstr("tracing.endpoint"), HasSubstr("remote_write[0].sigv4")));
  EXPECT_TRUE(file->global.external_labels.empty());
}

TEST_F(PrometheusFileTest, RefusesWhatPrometheusRefuses) {
  EXPECT_THAT(problem_of("remote_write: [{name: a}]"), HasSubstr("url is missing"));
  EXPECT_THAT(problem_of("remote_write: [~]"), HasSubstr("empty entry"));
  EXPECT_THAT(problem_of("remote_write: [{url: 'http://x', headers: {Authorization: a}}]"),
              HasSubstr("not set here"));
  EXPECT_THAT(problem_of("rule_files: ['*/a.yml']"), HasSubstr("last part"));
  EXPECT_THAT(problem_of("tracing: {insecure: true}"), HasSubstr("endpoint is missing"));
  EXPECT_THAT(problem_of("global: {scrape_interval: 5s, scrape_timeout: 10s}"),
              HasSubstr("longer than scrape_interval"));
  EXPECT_FALSE(load_prometheus_file(files_, "/p/none.yml", process_environment()));
}

}  // namespace
}  // namespace binnacle::app
