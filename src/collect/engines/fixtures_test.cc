// Every fixture of an engine that exports metrics, against what was written down for it by hand;
// then with each expected name misspelt.
#include <cmath>
#include <set>

#include <re2/re2.h>

#include "collect/engines/scrape_fixture.h"

namespace binnacle::collect::engines {
namespace {

constexpr std::string_view kAbsent = "binnacle_engine_expected_series_absent{";

class FixtureTest : public testing::TestWithParam<std::string> {};

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b)); }

TEST_P(FixtureTest, GivesTheSeriesThatWereWrittenDownForIt) {
  const SeriesValues got = FixtureTarget().scrape(fixture_text(GetParam() + ".prom"));
  const SeriesValues expected = expected_series(GetParam());
  ASSERT_GT(expected.size(), 10u);
  for (const auto& [series, value] : expected) {
    const auto it = got.find(series);
    if (it == got.end()) {
      ADD_FAILURE() << "missing: " << series;
    } else {
      EXPECT_TRUE(near(it->second, value)) << series << ": " << it->second << " is not " << value;
    }
  }
  for (const auto& [series, value] : got) {
    EXPECT_TRUE(expected.contains(series)) << "not expected: " << series << " " << value;
  }
}

TEST_P(FixtureTest, GivesTheSameEveryTime) {
  FixtureTarget target;
  const std::string body = fixture_text(GetParam() + ".prom");
  const SeriesValues first = target.scrape(body);
  EXPECT_EQ(target.scrape(body), first);
  target.scrape_that_fails(body);
  EXPECT_EQ(target.scrape(body), first);
}

// `family` with its samples' suffixes gets another name everywhere in the text.
std::string misspelt(std::string body, const std::string& family) {
  const std::string pattern = "(?m)^" + RE2::QuoteMeta(family) + "(_bucket|_sum|_count)?([{ ])";
  EXPECT_GT(RE2::GlobalReplace(&body, pattern, family + "x\\1\\2"), 0) << family;
  return body;
}

struct Alias {
  std::string series;
  std::string name;
};

std::vector<Alias> aliases_in(const SeriesValues& values) {
  std::vector<Alias> found;
  for (const auto& [series, value] : values) {
    Alias alias;
    if (RE2::PartialMatch(series,
                          R"re(^binnacle_engine_alias_info\{alias="([^"]+)".*series="([^"]+)")re",
                          &alias.name, &alias.series)) {
      found.push_back(alias);
    }
  }
  return found;
}

std::set<std::string> due_series(const SeriesValues& expected) {
  std::set<std::string> due;
  for (const auto& [series, value] : expected) {
    std::string name;
    if (series.starts_with(kAbsent) &&
        RE2::PartialMatch(series, R"re(series="([^"]+)")re", &name)) {
      due.insert(name);
    }
  }
  return due;
}

double absent(const SeriesValues& values, const std::string& series) {
  for (const auto& [text, value] : values) {
    if (text.starts_with(kAbsent) && text.find("series=\"" + series + "\"") != std::string::npos) {
      return value;
    }
  }
  return -1;
}

// Misspells the names that a series is taken from, one after the other, until nothing stands in.
TEST_P(FixtureTest, AMisspeltNameIsMissed) {
  const std::string body = fixture_text(GetParam() + ".prom");
  const std::set<std::string> due = due_series(expected_series(GetParam()));
  ASSERT_GT(due.size(), 5u);
  std::set<std::string> tried;
  for (const std::string& series : due) {
    std::string text = body;
    SeriesValues values = FixtureTarget().scrape(text);
    EXPECT_EQ(absent(values, series), 0) << series;
    for (int round = 0; absent(values, series) != 1; ++round) {
      ASSERT_LT(round, 4) << series << " is not missed";
      std::string name;
      for (const Alias& alias : aliases_in(values)) {
        if (alias.series == series) name = alias.name;
      }
      ASSERT_FALSE(name.empty()) << series << " has no alias and is not missed";
      tried.insert(name);
      text = misspelt(text, name);
      values = FixtureTarget().scrape(text);
    }
  }
  EXPECT_GE(tried.size(), due.size() / 2);
}

// A histogram without one of its kinds of samples is not whole.
TEST_P(FixtureTest, AHistogramThatLostAPartIsMissed) {
  const std::string body = fixture_text(GetParam() + ".prom");
  const std::set<std::string> due = due_series(expected_series(GetParam()));
  for (const Alias& alias : aliases_in(expected_series(GetParam()))) {
    if (!due.contains(alias.series)) continue;
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
      std::string text = body;
      if (body.find("\n" + alias.name + "_bucket{") == std::string::npos) continue;
      if (!alias.series.ends_with("_seconds")) continue;  // a counter made of the sum alone
      RE2::GlobalReplace(&text, "(?m)^" + RE2::QuoteMeta(alias.name) + suffix + "([{ ])",
                         alias.name + suffix + "x\\1");
      EXPECT_EQ(absent(FixtureTarget().scrape(text), alias.series), 1) << alias.name << suffix;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FixtureTest, testing::ValuesIn(fixtures(".prom")),
                         [](const testing::TestParamInfo<std::string>& info) {
                           std::string name = info.param;
                           RE2::GlobalReplace(&name, "[^a-zA-Z0-9]", "_");
                           return name;
                         });

TEST(FixturesTest, NameTheirEngineVersionAndSourceFirst) {
  const std::vector<std::string> names = fixtures(".prom");
  EXPECT_GE(names.size(), 14u);
  for (const std::string& name : names) {
    const std::string text = fixture_text(name + ".prom");
    EXPECT_TRUE(text.starts_with("# ")) << name;
    EXPECT_NE(text.substr(0, 250).find("Names: "), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace binnacle::collect::engines
