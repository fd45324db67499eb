#include "app/check_print.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace binnacle::app {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using watch::health::Health;

json check(const char* name, const char* status, const char* message) {
  return {{"name", name},
          {"type", "http"},
          {"component", name},
          {"node", nullptr},
          {"status", status},
          {"reason", message},
          {"since", "2026-01-02T03:04:05.000Z"},
          {"last",
           {{"status", status},
            {"message", message},
            {"duration_seconds", 0.012},
            {"evidence", {"line one"}}}},
          {"maintenance", nullptr}};
}

json tree() {
  json on_node = check("disk", "degraded", "91 % used");
  on_node["node"] = "n1";
  return {{"timestamp", "2026-01-02T03:04:06.000Z"},
          {"cluster", "lab"},
          {"overall_status", "critical"},
          {"score", 40},
          {"deciding_check", "api"},
          {"reason", "refused <now>"},
          {"components",
           {{{"name", "web"}, {"checks", {check("web", "healthy", "200 in 12 ms")}}},
            {{"name", "api"}, {"checks", {check("api", "critical", "refused <now>\n\x1b[2J")}}},
            {{"name", "job"}, {"checks", {check("job", "unknown", "no reading yet")}}}}},
          {"nodes",
           {{{"name", "n1"},
             {"state", "suspect"},
             {"state_since", "2026-01-02T03:04:00.000Z"},
             {"status", "degraded"},
             {"components", {{{"name", "disk"}, {"checks", {on_node}}}}}}}}};
}

TEST(CheckPrint, TextNamesWhatDecidedAndPutsTheWorstFirst) {
  const std::string text = print_health(tree(), {});
  EXPECT_THAT(text,
              testing::StartsWith("cluster lab: CRITICAL, score 40, because of api: refused"));
  EXPECT_THAT(text, HasSubstr("node n1: degraded, suspect since 2026-01-02T03:04:00.000Z\n"));
  const size_t api = text.find("critical  api"), disk = text.find("degraded  disk"),
               job = text.find("unknown   job"), web = text.find("healthy   web");
  EXPECT_LT(api, disk);
  EXPECT_LT(disk, job);
  EXPECT_LT(job, web);
  EXPECT_NE(web, std::string::npos);
  EXPECT_THAT(text, HasSubstr("12ms  200 in 12 ms\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b"))) << "what a service says may not paint the terminal";
  EXPECT_THAT(text, Not(HasSubstr("line one")));
  EXPECT_THAT(print_health(tree(), {.verbose = true}), HasSubstr("- line one\n"));
}

TEST(CheckPrint, JunitHasACaseForEachCheck) {
  const std::string text = print_health(tree(), {.format = CheckFormat::kJunit});
  EXPECT_THAT(text, HasSubstr("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\""));
  EXPECT_THAT(text, HasSubstr("<testcase classname=\"n1.disk\" name=\"disk\" time=\"0.012\">"));
  EXPECT_THAT(text, HasSubstr("<failure type=\"critical\" message=\"refused &lt;now&gt;"));
  EXPECT_THAT(text, HasSubstr("<skipped message=\"no reading yet\"/>"));
}

TEST(CheckPrint, PrometheusHasTheSeriesThatAServerStores) {
  const std::string text = print_health(tree(), {.format = CheckFormat::kPrometheus});
  EXPECT_THAT(text, HasSubstr("binnacle_health_status{scope=\"cluster\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("binnacle_health_check_status{check=\"disk\",component=\"disk\",kind="
                              "\"http\",node=\"n1\"} "
                              "1\n"));
}

TEST(CheckPrint, JsonIsTheTreeItself) {
  EXPECT_EQ(json::parse(print_health(tree(), {.format = CheckFormat::kJson})), tree());
}

TEST(CheckPrint, ExitCodesTellTheWorst) {
  EXPECT_EQ(exit_code_of(Health::kHealthy), 0);
  EXPECT_EQ(exit_code_of(Health::kCritical), 1);
  EXPECT_EQ(exit_code_of(Health::kFailed), 1);
  EXPECT_EQ(exit_code_of(Health::kDegraded), 2);
  EXPECT_EQ(exit_code_of(Health::kUnknown), 3);
  EXPECT_EQ(overall_of(json::object()), Health::kUnknown);
}

}  // namespace
}  // namespace binnacle::app
