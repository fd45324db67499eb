#include "base/yaml_reader.h"

#include <gmock/gmock.h>

namespace binnacle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

struct Settings {
  std::string name = "default";
  bool on = true;
  uint64_t limit = 7;
  double share = 0.5;
  int64_t interval_ms = 1000;
  uint64_t size = 0;
  std::vector<std::string> hosts;
  YamlPairs labels;
  std::string mode = "a";
  std::string file;
};

constexpr std::string_view kModes[] = {"a", "b"};

Settings read(YamlDocument& document) {
  Settings out;
  YamlMap map(document.root());
  map.read("name", out.name);
  map.read("on", out.on);
  map.read("limit", out.limit);
  map.read("share", out.share);
  map.duration("interval", out.interval_ms);
  map.size("size", out.size);
  map.read("hosts", out.hosts);
  map.read("labels", out.labels);
  map.choice("mode", out.mode, kModes);
  map.file("file", out.file);
  map.unused("old", "has no effect here");
  map.finish();
  return out;
}

TEST(YamlReader, TextIsUtf8) {
  YamlDocument bad("f.yml", "name: a\nmode: \"\xfe\"\n");
  EXPECT_EQ(read(bad).name, "default");
  ASSERT_FALSE(bad.status());
  EXPECT_THAT(bad.status().error().message, HasSubstr("f.yml:2: not UTF-8"));
  YamlDocument key("f.yml", "{\"\xfe\": 1}");
  EXPECT_FALSE(key.status());
  YamlDocument escape("f.yml", "hosts:\n- \"a\\_b\"\n");
  EXPECT_THAT(escape.status().error().message, HasSubstr("f.yml:2: not UTF-8"));
  YamlDocument good("f.yml", "name: \xC3\xA9\n");
  EXPECT_EQ(read(good).name, "\xC3\xA9");
  EXPECT_TRUE(good.status());
}

TEST(YamlReader, ReadsEveryType) {
  YamlDocument document("conf/a.yml", R"(
name: 5
on: no
limit: 1e3
share: .25
interval: 1h30m
size: 1.5KB
hosts: [x, 7]
labels: {z: 1, a: two}
mode: b
file: certs/ca.pem
)");
  const Settings got = read(document);
  ASSERT_TRUE(document.status()) << document.status().error().message;
  EXPECT_EQ(got.name, "5");
  EXPECT_FALSE(got.on);
  EXPECT_EQ(got.limit, 1000U);
  EXPECT_EQ(got.share, 0.25);
  EXPECT_EQ(got.interval_ms, 5'400'000);
  EXPECT_EQ(got.size, 1536U);
  EXPECT_THAT(got.hosts, ElementsAre("x", "7"));
  EXPECT_THAT(got.labels, ElementsAre(Pair("z", "1"), Pair("a", "two")));
  EXPECT_EQ(got.mode, "b");
  EXPECT_EQ(got.file, "conf/certs/ca.pem");
}

TEST(YamlReader, NothingKeepsTheDefault) {
  for (const char* text : {"", "name:\non:\nlimit: ~\nhosts:\nlabels:\n"}) {
    YamlDocument document("a.yml", text);
    const Settings got = read(document);
    ASSERT_TRUE(document.status());
    EXPECT_EQ(got.name, "default");
    EXPECT_TRUE(got.on);
    EXPECT_EQ(got.limit, 7U);
  }
}

TEST(YamlReader, NamesWhatIsWrongAndWhere) {
  YamlDocument document("a.yml", R"(
name: [1]
on: "true"
limit: -1
share: much
interval: 5 minutes
size: 10
hosts: x
labels: {a: [b]}
mode: c
interva: 5m
colour: red
)");
  const Settings got = read(document);
  EXPECT_EQ(got.interval_ms, 1000);
  const auto lines = document.problems().lines();
  EXPECT_THAT(lines,
              ElementsAre(HasSubstr("a.yml:2: name: text is wanted, not a list"),
                          HasSubstr("a.yml:3: on: no truth value (true)"),
                          HasSubstr("a.yml:4: limit: below zero (-1)"),
                          HasSubstr("a.yml:5: share: no number (much)"),
                          HasSubstr("a.yml:6: interval: no duration (5 minutes)"),
                          HasSubstr("a.yml:7: size: no size (10)"),
                          HasSubstr("a.yml:8: hosts: a list is wanted"),
                          HasSubstr("a.yml:9: labels.a: text is wanted"),
                          HasSubstr("a.yml:10: mode: unknown value (c): one of a, b"),
                          HasSubstr("a.yml:11: interva: unknown key: did you mean interval?"),
                          HasSubstr("a.yml:12: colour: unknown key")));
}

TEST(YamlReader, WarnsOfWhatHasNoEffect) {
  YamlDocument document("a.yml", "old: 1\n");
  read(document);
  EXPECT_TRUE(document.status());
  EXPECT_THAT(document.warnings().lines(), ElementsAre("a.yml:1: old: has no effect here"));
}

TEST(YamlReader, MergesMaps) {
  YamlDocument document("a.yml", R"(
<<: {name: merged, mode: b}
name: own
)");
  const Settings got = read(document);
  ASSERT_TRUE(document.status()) << document.status().error().message;
  EXPECT_EQ(got.name, "own");
  EXPECT_EQ(got.mode, "b");
}

TEST(YamlReader, CanonicalTextTellsContentNotLayout) {
  const auto text = [](std::string_view yaml) {
    YamlDocument document("a.yml", yaml);
    return document.root().canonical_text();
  };
  EXPECT_EQ(text("a: [1, 2]\n"), text("# note\na:\n- 1\n- 2\n"));
  EXPECT_NE(text("a: [1, 2]\n"), text("a: [12]\n"));
  EXPECT_NE(text("a: b\n"), text("a:\n"));
}

}  // namespace
}  // namespace binnacle
