#include "base/config.h"
#include "base/config_docs.h"
#include "base/config_text.h"
#include "base/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace binnacle {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using enum ConfigType;

std::vector<ConfigKey> test_keys() {
  const std::string m = "A key.";
  return {
      {.path = "server.listen",
       .type = kObjects,
       .default_text = "[{}]",
       .meaning = "What to bind."},
      {.path = "server.listen[].tls.key_file", .meaning = m},
      {.path = "server.listen[].groups", .type = kStrings, .default_text = "[page]", .meaning = m},
      {.path = "server.listen[].inner", .type = kObjects, .default_text = "[]", .meaning = m},
      {.path = "server.listen[].inner[].x", .type = kInt, .default_text = "1", .meaning = m},
      {.path = "server.timeout",
       .type = kDuration,
       .default_text = "30s",
       .meaning = "One | two.",
       .reload = Reload::kLive,
       .min = "1s",
       .max = "1h"},
      {.path = "server.body", .type = kBytes, .default_text = "1MiB", .meaning = m},
      {.path = "log.level",
       .type = kEnum,
       .default_text = "info",
       .meaning = m,
       .choices = {"debug", "info"}},
      {.path = "log.map", .type = kMap, .default_text = "{}", .meaning = m},
      {.path = "rate", .type = kFloat, .default_text = "0.5", .unit = "requests", .meaning = m},
      {.path = "on", .type = kBool, .default_text = "true", .meaning = m},
      {.path = "password", .meaning = m, .secret = true},
      {.path = "tokens", .type = kStrings, .default_text = "[]", .meaning = m, .secret = true},
      {.path = "note", .meaning = m},
  };
}

class ConfigPrintTest : public ::testing::Test {
 protected:
  Config parse(std::string_view yaml) {
    auto config = Config::parse(schema_, yaml, "b.yaml", sources_);
    if (!config) ADD_FAILURE() << config.error().to_error().message << "\n" << yaml;
    return config ? *config : *Config::parse(schema_, "", "b.yaml", sources_);
  }

  FaultFileSystem files_;
  ConfigSources sources_{[](const std::string&) { return std::optional<std::string>("hunter2"); },
                         files_};
  ConfigSchema schema_{test_keys()};
};

TEST_F(ConfigPrintTest, ShowsEffectiveValuesAndMarksDefaults) {
  EXPECT_EQ(parse("server: {timeout: 90s, listen: [{tls: {key_file: /k}}, {inner: [{}]}]}\n"
                  "password: hunter2\nnote: ${env:X}\nlog: {map: {a: 'b c'}}\n")
                .print(true),
            R"(server:
  listen:
    - tls:
        key_file: /k
      groups: [page]  # default
      inner: []  # default
    - tls:
        key_file: ""  # default
      groups: [page]  # default
      inner:
        - x: 1  # default
  timeout: 1m30s
  body: 1MiB  # default
log:
  level: info  # default
  map: {a: "b c"}
rate: 0.5  # default
on: true  # default
password: "***"
tokens: []  # default
note: "${env:X}"
)");
}

TEST_F(ConfigPrintTest, UnmaskedItReadsBackTheSame) {
  const Config original = parse(R"(
server:
  listen: [{groups: ['a, b', 'c]', "d\"\\", '', '-', 'null']}, {inner: [{x: 7}, {}]}]
  timeout: 59m1s1ms
  body: 1001
log: {map: {'k: v': "line\nbreak\ttab\x01", 'null': '~', '{': "# no comment"}}
rate: 1e-300
on: false
password: "p'w: ${env:X} $${env:X} $${1} ${2}"
tokens: ["${env:X}", '*x', '&y', '!z', "\xC3\xA4\u00e4"]
note: ' leading and trailing '
)");
  const Config again = parse(original.print(false));
  EXPECT_TRUE(Config::diff(original, again).empty());
  EXPECT_EQ(again.get_string("password"), "p'w: hunter2 ${env:X} ${1} ${2}");
}

TEST_F(ConfigPrintTest, MaskedItHoldsNoSecret) {
  const Config config = parse(
      "password: hunter2\ntokens: [hunter2, 'x${env:X}']\nnote: ${env:X}\n"
      "log: {map: {a: \"${env:X}\", b: '$${c}'}}\n");
  for (const std::string& text : {config.print(true), config.print_json(true)}) {
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    EXPECT_THAT(text, HasSubstr("${env:X}"));
    EXPECT_THAT(text, HasSubstr("***"));
  }
  EXPECT_THAT(config.print(false), HasSubstr("password: hunter2"));
}

TEST_F(ConfigPrintTest, JsonHasEveryValueWithItsType) {
  const auto json = nlohmann::json::parse(
      parse("server: {timeout: 90s}\npassword: x\nlog: {map: {a: b}}\n").print_json(true));
  std::map<std::string, nlohmann::json> by_path;
  for (const auto& item : json) by_path[item.at("path")] = item;
  EXPECT_EQ(by_path.at("server.timeout").at("value"), "1m30s");
  EXPECT_EQ(by_path.at("server.timeout").at("default"), false);
  EXPECT_EQ(by_path.at("server.listen[0].groups").at("value"), nlohmann::json({"page"}));
  EXPECT_EQ(by_path.at("server.listen[0].groups").at("default"), true);
  EXPECT_EQ(by_path.at("log.map").at("value"), (nlohmann::json{{"a", "b"}}));
  EXPECT_EQ(by_path.at("rate").at("value"), 0.5);
  EXPECT_EQ(by_path.at("on").at("value"), true);
  EXPECT_EQ(by_path.at("password").at("value"), "***");
}

TEST_F(ConfigPrintTest, DocsHaveARowForEveryKey) {
  const std::string docs = config_markdown(schema_, "# Title\n");
  EXPECT_THAT(docs,
              HasSubstr("# Title\n\n## server\n\n| key | type | default | reload | meaning |"));
  EXPECT_THAT(
      docs,
      HasSubstr("\n| `server.listen` | list of objects | `[{}]` | restart | What to bind. |\n"));
  EXPECT_THAT(
      docs,
      HasSubstr("\n| `server.timeout` | duration, 1s to 1h | `30s` | live | One \\| two. |\n"));
  EXPECT_THAT(docs, HasSubstr("| `log.level` | enum: `debug`, `info` | `info` |"));
  EXPECT_THAT(docs, HasSubstr("| `rate` | float, requests | `0.5` |"));
  EXPECT_THAT(
      docs,
      HasSubstr("| `password` | string | not set | restart | A key. Secret: never printed. |"));
  for (const ConfigKey& key : schema_.keys()) {
    EXPECT_THAT(docs, HasSubstr("| `" + key.path + "` |"));
  }
}

TEST(YamlScalar, QuotesWhatWouldNotReadBackAsText) {
  EXPECT_EQ(yaml_scalar("plain-text_1.2/3"), "plain-text_1.2/3");
  EXPECT_EQ(yaml_scalar(""), "\"\"");
  EXPECT_EQ(yaml_scalar("null"), "\"null\"");
  EXPECT_EQ(yaml_scalar("true"), "\"true\"");
  EXPECT_EQ(yaml_scalar("- a"), "\"- a\"");
  EXPECT_EQ(yaml_scalar("a: b"), "\"a: b\"");
  EXPECT_EQ(yaml_scalar("\x1b\x7f"), "\"\\x1b\\x7f\"");
}

}  // namespace
}  // namespace binnacle
