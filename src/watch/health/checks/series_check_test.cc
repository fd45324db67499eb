// Checks of series over a store in memory: expressions of the user's and the presets.
#include "base/file_system.h"
#include "model/labels.h"
#include "query/promql/parser.h"
#include "store/metrics/linear_store.h"
#include "watch/health/checks/preset_table.h"
#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

using testing::HasSubstr;

class SeriesCheckTest : public CheckTest {
 protected:
  SeriesCheckTest() { store_ = &series_; }

  // `seconds_ago` before now.
  void put(const std::string& series, double value, int seconds_ago = 1) {
    const auto labels = query::promql::parse_metric(series);
    CHECK(labels.has_value());
    const auto batch = series_.appender();
    CHECK(batch->append(0, labels->view(), {clock_.wall_ms() - seconds_ago * 1000, value}));
    CHECK(batch->commit().has_value());
  }
  std::string check(const std::string& kind, const std::string& settings) {
    return text_of(run(kind, settings));
  }

  store::metrics::LinearStore series_{clock_};
};

TEST_F(SeriesCheckTest, JudgesEverySeriesAndNamesTheWorst) {
  put("use{node=\"a\"}", 0.5);
  put("use{node=\"b\"}", 0.95);
  put("use{node=\"c\"}", 0.92);
  const std::string both = ", warn: \"> 0.9\", critical: \"> 0.99\", unit: ratio";
  EXPECT_EQ(check("promql", "expr: use" + both),
            "degraded: 2 of 3 series, worst use{node=\"b\"} is 95 % (degraded: > 0.9)");
  EXPECT_EQ(check("promql", "expr: \"use{node='a'}\"" + both), "healthy: use{node=\"a\"} is 50 %");
  EXPECT_EQ(check("promql", "expr: use, critical: \"< 0.6\""),
            "critical: 1 of 3 series, worst use{node=\"a\"} is 0.5 (critical: < 0.6)");
  EXPECT_EQ(check("promql", "expr: \"max(use) * 2\", critical: \">= 5\""), "healthy: is 1.9");
  const Reading scalar = run("promql", "expr: \"scalar(max(use))\", warn: \"> 0\"");
  EXPECT_EQ(text_of(scalar), "degraded: is 0.95 (degraded: > 0)");
  EXPECT_EQ(scalar.value, 0.95);
}

TEST_F(SeriesCheckTest, NothingIsUnknownUnlessToldOtherwise) {
  EXPECT_EQ(check("promql", "expr: none, warn: \"> 0\""),
            "unknown: the expression gives no series");
  EXPECT_EQ(check("promql", "expr: none, warn: \"> 0\", empty: healthy"),
            "healthy: the expression gives no series");
  EXPECT_EQ(check("promql", "expr: \"vector(0) / 0\", warn: \"> 0\", empty: critical"),
            "critical: the expression gives no series");
  EXPECT_THAT(check("promql",
                    "expr: \"label_replace(vector(1), 'a', 'x', '', '') + on(a) "
                    "group_left() vector(1)\", warn: \"> 0\""),
              HasSubstr("unknown: "));
}

TEST_F(SeriesCheckTest, RefusesWhatCannotBeJudged) {
  const auto said = [this](const std::string& settings) {
    return problems("checks: [{name: a, type: promql, promql: {" + settings + "}}]");
  };
  EXPECT_THAT(said("expr: \"up{\", warn: \"> 1\""), HasSubstr("parse error"));
  EXPECT_THAT(said("expr: \"up[5m]\", warn: \"> 1\""), HasSubstr("range vector"));
  EXPECT_THAT(said("expr: up"), HasSubstr("warn and critical are missing"));
  EXPECT_THAT(said("expr: up, warn: 5"), HasSubstr("no threshold (5): write it like \"> 0.9\""));
  EXPECT_THAT(said("expr: up, warn: \"> 5\", critical: \"> 4\""),
              HasSubstr("critical (> 4) is reached before warn (> 5)"));
  EXPECT_THAT(said("warn: \"> 5\""), HasSubstr("expr is missing"));
}

TEST_F(SeriesCheckTest, DiskIsJudgedBySpaceInodesAndWritability) {
  const std::string root = "{node=\"a\",mountpoint=\"/\",fstype=\"ext4\"}";
  const std::string data = "{node=\"b\",mountpoint=\"/data\",fstype=\"xfs\"}";
  for (const auto& [on, avail] : {std::pair(root, 50.0), std::pair(data, 10.0)}) {
    put("node_filesystem_size_bytes" + on, 100);
    put("node_filesystem_avail_bytes" + on, avail);
    put("node_filesystem_readonly" + on, 0);
  }
  EXPECT_THAT(check("disk", ""), HasSubstr("degraded: space 1 of 2 series, worst {fstype=\"xfs\", "
                                           "mountpoint=\"/data\", node=\"b\"} is 90 %"));
  EXPECT_THAT(check("disk", "node: a"), HasSubstr("healthy: space {"));
  EXPECT_THAT(check("disk", "space: {warn: 95%, critical: 99%}"), HasSubstr("healthy"));
  EXPECT_THAT(check("disk", "space: false"), HasSubstr("healthy: read_only"));
  EXPECT_THAT(check("disk", "mountpoint: /data"), HasSubstr("degraded: space {"));
  EXPECT_THAT(check("disk", "select: 'mountpoint!=\"/data\"'"), HasSubstr("healthy"));
  EXPECT_THAT(check("disk", "node: nobody"), HasSubstr("unknown: there are no such series"));
  put("node_filesystem_readonly" + root, 1, 0);
  EXPECT_THAT(check("disk", "node: a"), HasSubstr("critical: read_only"));
}

TEST_F(SeriesCheckTest, ASilentNodeIsUnknownAMissingProcessCritical) {
  EXPECT_THAT(check("process", "group: vllm, node: a"), HasSubstr("unknown: there are no such"));
  put("binnacle_process_left_out{node=\"a\"}", 0);
  EXPECT_THAT(check("process", "group: vllm, node: a"),
              HasSubstr("critical: running is 0 processes (critical: < 1)"));
  put("namedprocess_namegroup_num_procs{node=\"a\",groupname=\"vllm\"}", 2);
  EXPECT_THAT(check("process", "group: vllm, node: a"), HasSubstr("healthy: running is 2"));
  EXPECT_THAT(check("container", "container: web"), HasSubstr("unknown: there are no such"));
  put("container_last_seen{node=\"a\",id=\"/\"}", double(clock_.wall_ms()) / 1000);
  EXPECT_THAT(check("container", "container: web"), HasSubstr("critical: running"));
  put("container_last_seen{node=\"a\",name=\"web\"}", double(clock_.wall_ms()) / 1000);
  EXPECT_THAT(check("container", "container: web"), HasSubstr("healthy: running"));
  EXPECT_THAT(check("systemd", "unit: x.service"), HasSubstr("unknown: there are no such"));
  put("node_systemd_units{node=\"a\",state=\"active\"}", 40);
  EXPECT_THAT(check("systemd", "unit: x.service"), HasSubstr("critical: active is 0"));
  put("node_systemd_unit_state{node=\"a\",name=\"x.service\",state=\"active\"}", 0);
  put("node_systemd_unit_state{node=\"a\",name=\"x.service\",state=\"failed\"}", 1);
  EXPECT_THAT(check("systemd", "unit: x.service"), HasSubstr("critical: active is 0"));
  EXPECT_THAT(check("systemd", ""), HasSubstr("degraded: failed node_systemd_unit_state{"));
}

TEST_F(SeriesCheckTest, MachineFiguresAreJudged) {
  const std::string node = "{node=\"a\",instance=\"a:1\"}";
  put("node_memory_MemTotal_bytes" + node, 100);
  put("node_memory_MemAvailable_bytes" + node, 2);
  EXPECT_THAT(check("memory", ""),
              HasSubstr("critical: used {instance=\"a:1\", node=\"a\"} is 98 %"));
  put("node_memory_SwapTotal_bytes" + node, 0);
  put("node_memory_SwapFree_bytes" + node, 0);
  EXPECT_THAT(check("swap", ""), HasSubstr("healthy: used"));
  for (int cpu = 0; cpu < 2; ++cpu) {
    const std::string core =
        "{node=\"a\",instance=\"a:1\",mode=\"idle\",cpu=\"" + std::to_string(cpu) + "\"}";
    put("node_cpu_seconds_total" + core, 100, 120);
    put("node_cpu_seconds_total" + core, 101, 1);
  }
  EXPECT_THAT(check("cpu", ""), HasSubstr("critical: used {instance=\"a:1\", node=\"a\"} is 99"));
  put("node_load5" + node, 4);
  EXPECT_THAT(check("load", "node: a"), HasSubstr("degraded: per_core"));
  put("DCGM_FI_DEV_GPU_TEMP{node=\"a\",gpu=\"0\"}", 88);
  EXPECT_THAT(check("temperature", ""),
              HasSubstr("degraded: gpu DCGM_FI_DEV_GPU_TEMP{gpu=\"0\", node=\"a\"} is 88 °C"));
  put("binnacle_gpu_lost{node=\"a\",gpu=\"0\"}", 1);
  EXPECT_THAT(check("gpu", ""),
              HasSubstr("critical: lost binnacle_gpu_lost{gpu=\"0\", node=\"a\"} is 1"));
}

TEST_F(SeriesCheckTest, PresetsNameTheirProblems) {
  const auto said = [this](const std::string& kind, const std::string& settings) {
    return problems("checks: [{name: a, type: " + kind + ", " + kind + ": {" + settings + "}}]");
  };
  EXPECT_THAT(said("disk", "spcae: {warn: 1}"), HasSubstr("did you mean space?"));
  EXPECT_THAT(said("disk", "space: 5"), HasSubstr("write false to leave it out"));
  EXPECT_THAT(said("disk", "select: 'x}'"), HasSubstr("select is no list of matchers"));
  EXPECT_THAT(said("process", "running: {critical: 2}"), HasSubstr("running needs group"));
  EXPECT_EQ(said("process", "group: 'a\"}b\\', node: \"x\\ny\""), "");
}

// What each preset asks stands in the documentation as it is asked.
TEST_F(SeriesCheckTest, TheDocumentationHasEveryPreset) {
  const auto doc =
      real_file_system().read_file(std::string(BINNACLE_SOURCE_DIR) + "/docs/health-checks.md");
  ASSERT_TRUE(doc);
  for (const Preset& preset : presets()) {
    for (const PresetPart& part : preset.parts) {
      const auto bound = [](std::string_view word, std::string_view text) {
        return text.empty() ? "" : std::string(word) + " " + std::string(text);
      };
      const std::string warn = bound("warn", part.warn);
      const std::string critical = bound("critical", part.critical);
      const char* between = warn.empty() || critical.empty() ? "" : ", ";
      EXPECT_THAT(*doc, HasSubstr("- `" + std::string(part.name) + "`: " + warn + between +
                                  critical + "\n  `" + std::string(part.expression) + "`\n"));
    }
  }
}

}  // namespace
}  // namespace binnacle::watch::health
