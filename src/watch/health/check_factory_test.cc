#include "watch/health/check_factory.h"

#include <set>

#include "store/metrics/linear_store.h"
#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

using testing::HasSubstr;

class CheckFactoryTest : public CheckTest {};

TEST_F(CheckFactoryTest, ReadsWhatAllKindsHaveInCommon) {
  const auto checks = read(R"(
defaults: {interval: 10s, criticality: contributing}
checks:
  - name: gateway/http
    type: http
    component: gateway
    node: n1
    description: answers at all
    interval: 5s
    timeout: 2s
    rise: 2
    fall: 3
    depends_on: [db]
    http: {url: "http://127.0.0.1:1/health"}
  - {name: db, type: tcp, tcp: {address: "127.0.0.1:1"}}
  - {name: job, type: pushed, ttl: 1h, criticality: informative}
)");
  ASSERT_TRUE(checks) << checks.error().message;
  ASSERT_EQ(checks->size(), 3);
  const CheckSpec& spec = (*checks)[0].spec;
  EXPECT_EQ(spec.name, "gateway/http");
  EXPECT_EQ(spec.kind, "http");
  EXPECT_EQ(spec.component, "gateway");
  EXPECT_EQ(spec.node, "n1");
  EXPECT_EQ(spec.interval_ms, 5'000);
  EXPECT_EQ(spec.timeout_ms, 2'000);
  EXPECT_EQ(spec.rise, 2);
  EXPECT_EQ(spec.fall, 3);
  EXPECT_EQ(spec.criticality, Criticality::kContributing);
  EXPECT_EQ(spec.depends_on, std::vector<std::string>{"db"});
  EXPECT_EQ(spec.place, "checks.yml:4");
  EXPECT_EQ((*checks)[1].spec.interval_ms, 10'000);
  EXPECT_EQ((*checks)[2].check, nullptr);
  EXPECT_EQ((*checks)[2].spec.ttl_ms, 3'600'000);
  EXPECT_EQ((*checks)[2].spec.criticality, Criticality::kInformative);
}

TEST_F(CheckFactoryTest, NamesEveryProblemAtOnceWithItsPlace) {
  const std::string said = problems(R"(
checks:
  - {name: a, type: htpp, intervall: 3s}
  - {name: a, type: tcp, tcp: {address: "x", sned: hello}}
  - {type: http, http: {url: "no url", status: [99]}}
  - {name: "b c", type: tcp, tcp: {address: "h:1"}, rise: 0, timeout: 1h}
  - {name: d}
  - {name: e, type: http}
chekcs: []
)");
  for (const char* part :
       {"checks.yml:3", "unknown type of check (htpp): did you mean http?",
        "checks[0].intervall: unknown key: did you mean interval?",
        "two checks of one name (a): the other stands at checks.yml:3",
        "checks[1].tcp.sned: unknown key: did you mean send?",
        "checks[1].tcp.address: not an address", "checks[2]: name is missing",
        "checks[2].http.url: no URL", "checks[2].http.status[0]: no HTTP status (99)",
        "no name of a check (b c)", "checks[3].rise: out of bounds (0)", "timeout is out of bounds",
        "type is missing", "checks[5].http: url is missing",
        "chekcs: unknown key: did you mean checks?"})
    EXPECT_THAT(said, HasSubstr(part));
}

TEST_F(CheckFactoryTest, RefusesProgramsAndFilesThatComeOverTheApi) {
  const std::string exec = "checks: [{name: a, type: exec, exec: {command: [\"true\"]}}]";
  EXPECT_EQ(problems(exec), "");
  EXPECT_THAT(problems(exec, false), HasSubstr("come from the configuration file alone"));
  const std::string secret =
      "checks: [{name: a, type: http, http: {url: \"http://x\", "
      "basic_auth: {username: u, password_file: /etc/shadow}}}]";
  EXPECT_EQ(problems(secret), "");
  EXPECT_THAT(problems(secret, false),
              HasSubstr("files are named in the configuration file alone"));
}

TEST_F(CheckFactoryTest, RefusesChecksOfSeriesWithoutAStoreAndRings) {
  EXPECT_THAT(problems("checks: [{name: a, type: memory}]"), HasSubstr("need a store"));
  EXPECT_THAT(problems("checks: [{name: a, type: pushed, depends_on: [b]},"
                       "{name: b, type: pushed, depends_on: [a, nobody]}]"),
              HasSubstr("depends_on comes back to the check itself (a)"));
  EXPECT_EQ(problems("checks: [{name: a, type: pushed, depends_on: [nobody]}]"), "");
  EXPECT_EQ(problems(""), "");
}

// Each example of the documentation is a file that reads.
TEST_F(CheckFactoryTest, TheDocumentationsExamplesRead) {
  const auto doc =
      real_file_system().read_file(std::string(BINNACLE_SOURCE_DIR) + "/docs/health-checks.md");
  ASSERT_TRUE(doc);
  store::metrics::LinearStore series(clock_);
  store_ = &series;
  constexpr std::string_view kBegin = "```yaml\n";
  std::set<std::string> kinds;
  for (size_t at = 0; (at = doc->find(kBegin, at)) != std::string::npos;) {
    at += kBegin.size();
    const std::string example = doc->substr(at, doc->find("```", at) - at);
    const auto checks = read(example);
    ASSERT_TRUE(checks) << checks.error().message << "\n" << example;
    for (const auto& check : *checks) kinds.insert(check.spec.kind);
  }
  EXPECT_EQ(std::vector(kinds.begin(), kinds.end()), check_kinds());
}

}  // namespace
}  // namespace binnacle::watch::health
