#include "base/config.h"

#include "base/fault_file_system.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using enum ConfigType;

std::string odd_refused(std::string_view text) {
  return text.size() % 2 == 0 ? "" : "write an even number of letters";
}

std::vector<ConfigKey> test_keys() {
  const std::string m = "A key.";
  return {
      {.path = "server.listen", .type = kObjects, .default_text = "[{}]", .meaning = m},
      {.path = "server.listen[].address", .default_text = "127.0.0.1:8080", .meaning = m},
      {.path = "server.listen[].groups",
       .type = kStrings,
       .default_text = "[page, api]",
       .meaning = m,
       .choices = {"page", "api", "probes"}},
      {.path = "server.listen[].tls.key_file", .meaning = m},
      {.path = "server.threads",
       .type = kInt,
       .default_text = "4",
       .meaning = m,
       .min = "1",
       .max = "64"},
      {.path = "server.insecure", .type = kBool, .default_text = "false", .meaning = m},
      {.path = "server.timeout",
       .type = kDuration,
       .default_text = "30s",
       .meaning = m,
       .reload = Reload::kLive,
       .min = "100ms"},
      {.path = "server.body",
       .type = kBytes,
       .default_text = "1MiB",
       .meaning = m,
       .reload = Reload::kLive,
       .max = "1GiB"},
      {.path = "rate", .type = kFloat, .default_text = "0.5", .meaning = m, .min = "0"},
      {.path = "log.level",
       .type = kEnum,
       .default_text = "info",
       .meaning = m,
       .reload = Reload::kLive,
       .choices = {"debug", "info"}},
      {.path = "log.components",
       .type = kMap,
       .default_text = "{}",
       .meaning = m,
       .reload = Reload::kLive,
       .choices = {"debug", "info"}},
      {.path = "log.even", .meaning = m, .check = odd_refused},
      {.path = "auth.password", .meaning = m, .reload = Reload::kLive, .secret = true},
      {.path = "auth.tokens", .type = kStrings, .default_text = "[]", .meaning = m, .secret = true},
      {.path = "note", .meaning = m, .reload = Reload::kLive},
  };
}

class ConfigTest : public ::testing::Test {
 protected:
  tl::expected<Config, ConfigProblems> parse(std::string_view yaml) {
    return Config::parse(schema_, yaml, "b.yaml", sources_);
  }
  Config good(std::string_view yaml) {
    auto config = parse(yaml);
    if (!config) ADD_FAILURE() << config.error().to_error().message;
    return config ? *config : *parse("");
  }
  std::vector<std::string> problems(std::string_view yaml) {
    const auto config = parse(yaml);
    return config ? std::vector<std::string>() : config.error().lines();
  }

  FaultFileSystem files_;
  std::string variable_ = "hunter2";
  ConfigSources sources_{[this](const std::string& name) -> std::optional<std::string> {
                           if (name == "VAR") return variable_;
                           return std::nullopt;
                         },
                         files_};
  ConfigSchema schema_{test_keys()};
};

TEST_F(ConfigTest, AnEmptyFileIsAllDefaults) {
  const Config config = good("");
  EXPECT_EQ(config.get_int("server.threads"), 4);
  EXPECT_FALSE(config.get_bool("server.insecure"));
  EXPECT_EQ(config.get_duration_ms("server.timeout"), 30'000);
  EXPECT_EQ(config.get_bytes("server.body"), 1 << 20);
  EXPECT_EQ(config.get_float("rate"), 0.5);
  EXPECT_EQ(config.get_string("log.level"), "info");
  EXPECT_TRUE(config.get_map("log.components").empty());
  ASSERT_EQ(config.list_size("server.listen"), 1u);
  const Config listener = config.at("server.listen", 0);
  EXPECT_EQ(listener.get_string("address"), "127.0.0.1:8080");
  EXPECT_THAT(listener.get_strings("groups"), ElementsAre("page", "api"));
  EXPECT_TRUE(config.is_default("server.listen"));
}

TEST_F(ConfigTest, ReadsEveryType) {
  const Config config = good(R"(
server:
  listen:
    - address: 0.0.0.0:80
      tls: {key_file: /k.pem}
    - {groups: [probes]}
  threads: 8
  insecure: true
  timeout: 1h30m
  body: 32KiB
rate: 2e3
log:
  level: debug
  components: {net: debug, store.x: info}
note: 5
)");
  ASSERT_EQ(config.list_size("server.listen"), 2u);
  EXPECT_EQ(config.at("server.listen", 0).get_string("tls.key_file"), "/k.pem");
  EXPECT_EQ(config.at("server.listen", 0).line_of("address"), 4);
  EXPECT_THAT(config.at("server.listen", 1).get_strings("groups"), ElementsAre("probes"));
  EXPECT_TRUE(config.at("server.listen", 1).is_default("address"));
  EXPECT_EQ(config.get_int("server.threads"), 8);
  EXPECT_EQ(config.line_of("server.threads"), 7);
  EXPECT_TRUE(config.get_bool("server.insecure"));
  EXPECT_EQ(config.get_duration_ms("server.timeout"), 5'400'000);
  EXPECT_EQ(config.get_bytes("server.body"), 32 * 1024);
  EXPECT_EQ(config.get_float("rate"), 2000);
  EXPECT_THAT(config.get_map("log.components"),
              ElementsAre(std::pair("net", "debug"), std::pair("store.x", "info")));
  EXPECT_EQ(config.get_string("note"), "5");  // a number is text where text is asked for
}

TEST_F(ConfigTest, ASectionWithoutKeysIsEmptyAndAListMayBe) {
  EXPECT_EQ(good("server:\nlog:\n").get_int("server.threads"), 4);
  EXPECT_EQ(good("server: {listen: []}").list_size("server.listen"), 0u);
}

TEST_F(ConfigTest, ReportsAllProblemsAtOnceByLine) {
  EXPECT_THAT(
      problems(R"(sevrer: 1
server:
  threads: many
  insecure: yes
  timeout: 50ms
  body: 2GiB
  listen:
    - adress: x
    - groups: [page, moon]
log:
  level: loud
  level: info
  even: abc
rate: -1
)"),
      ElementsAre("b.yaml:1: unknown key (sevrer): did you mean server?",
                  "b.yaml:3: server.threads: wrong type (many): write a whole number",
                  "b.yaml:4: server.insecure: wrong type (yes): write true or false",
                  "b.yaml:5: server.timeout: value out of range (50ms): write at least 100ms",
                  "b.yaml:6: server.body: value out of range (2GiB): write at most 1GiB",
                  "b.yaml:8: unknown key (server.listen[0].adress): did you mean "
                  "server.listen[].address?",
                  "b.yaml:9: server.listen[1].groups: unknown choice (moon): write one of page, "
                  "api, probes",
                  "b.yaml:11: log.level: unknown choice (loud): write one of debug, info",
                  "b.yaml:12: key stands twice in one map (level): keep one of them",
                  "b.yaml:13: log.even: value not usable (abc): write an even number of letters",
                  "b.yaml:14: rate: value out of range (-1): write at least 0"));
}

TEST_F(ConfigTest, NamesBothBoundsAndTheUnits) {
  EXPECT_THAT(
      problems("server: {threads: 65}"),
      ElementsAre("b.yaml:1: server.threads: value out of range (65): write one from 1 to 64"));
  EXPECT_THAT(
      problems("server: {timeout: 30}"),
      ElementsAre(HasSubstr("server.timeout: bad duration (30): write whole numbers with")));
  EXPECT_THAT(problems("server: {body: 1.5GiB}"), ElementsAre(HasSubstr("bad size (1.5GiB)")));
  EXPECT_THAT(problems("server: {threads: 99999999999999999999}"),
              ElementsAre(HasSubstr("number does not fit")));
  EXPECT_THAT(problems("rate: inf"), ElementsAre(HasSubstr("write a finite number")));
}

TEST_F(ConfigTest, RefusesWrongShapes) {
  EXPECT_THAT(problems("[1, 2]"),
              ElementsAre("b.yaml:1: the file: wrong type (a list): write a map of keys"));
  EXPECT_THAT(problems("server: 5"),
              ElementsAre("b.yaml:1: server: wrong type (a single value): write a map of keys"));
  EXPECT_THAT(problems("server:\n  listen: {address: x}"),
              ElementsAre(HasSubstr("b.yaml:2: server.listen: wrong type (a map): write a list")));
  EXPECT_THAT(problems("server: {listen: [x]}"),
              ElementsAre(HasSubstr("server.listen[0]: wrong type (a single value)")));
  EXPECT_THAT(problems("server: {threads: [1]}"), ElementsAre(HasSubstr("wrong type (a list)")));
  EXPECT_THAT(problems("auth: {tokens: one}"), ElementsAre(HasSubstr("write a list")));
  EXPECT_THAT(problems("auth: {tokens: [[one]]}"), ElementsAre(HasSubstr("write text")));
  EXPECT_THAT(problems("log: {components: [a]}"), ElementsAre(HasSubstr("write a map of names")));
  EXPECT_THAT(problems("log:\n  level:\n"),
              ElementsAre("b.yaml:2: log.level: no value: give it one, or remove the line for the "
                          "default info"));
}

TEST_F(ConfigTest, QuotesMakeText) {
  EXPECT_THAT(problems("server: {threads: '8'}"), ElementsAre(HasSubstr("remove the quotes")));
  EXPECT_EQ(good("server: {timeout: '30s'}").get_duration_ms("server.timeout"), 30'000);
}

TEST_F(ConfigTest, BoundsListsOfObjects) {
  std::string yaml = "server:\n  listen:\n";
  for (int i = 0; i <= 1000; ++i) yaml += "  - {}\n";
  EXPECT_THAT(problems(yaml),
              ElementsAre(HasSubstr("too long (1001 entries): write at most 1000")));
}

TEST_F(ConfigTest, BadYamlIsOneProblem) {
  EXPECT_THAT(problems("server: {threads: many\nlog: [\n"), ElementsAre(HasSubstr("bad YAML")));
}

TEST_F(ConfigTest, SubstitutesInEveryType) {
  ASSERT_TRUE(files_.write_file_atomically("/secret", "s3cret\n"));
  EXPECT_EQ(good("auth: {password: \"${file:/secret}\"}").get_string("auth.password"), "s3cret");
  EXPECT_THAT(good("auth: {tokens: [a, \"${env:VAR}\"]}").get_strings("auth.tokens"),
              ElementsAre("a", "hunter2"));
  variable_ = "8";
  EXPECT_EQ(good("server:\n  threads: ${env:VAR}").get_int("server.threads"), 8);
  EXPECT_EQ(good("server: {threads: \"${env:VAR}\"}").get_int("server.threads"), 8);
  EXPECT_EQ(good("note: $${env:VAR}").get_string("note"), "${env:VAR}");
  variable_ = "debug";
  EXPECT_EQ(good("log: {components: {net: \"${env:VAR}\"}}").get_map("log.components").at("net"),
            "debug");
}

TEST_F(ConfigTest, NamesWhatASubstitutionLacks) {
  EXPECT_THAT(problems("\nauth:\n  password: ${env:NO_SUCH}\n"),
              ElementsAre("b.yaml:3: auth.password: environment variable is not set (NO_SUCH): set "
                          "it, or remove the substitution"));
}

TEST_F(ConfigTest, MessagesHoldNoSecrets) {
  EXPECT_THAT(problems("server:\n  threads: ${env:VAR}\n"),
              ElementsAre(HasSubstr("wrong type (${env:VAR}): write a whole number")));
  EXPECT_THAT(problems("log: {components: {a: \"${env:VAR}\"}}"),
              ElementsAre(Not(HasSubstr("hunter2"))));
  EXPECT_THAT(problems("auth: {pasword: hunter2}"),
              ElementsAre("b.yaml:1: unknown key (auth.pasword): did you mean auth.password?"));
  EXPECT_THAT(problems("auth: {password: [hunter2]}"), ElementsAre(Not(HasSubstr("hunter2"))));
}

TEST_F(ConfigTest, MessagesHideTheValueOfASecretKey) {
  schema_ = ConfigSchema({{.path = "pin",
                           .type = kInt,
                           .default_text = "0",
                           .meaning = "A key.",
                           .secret = true,
                           .max = "9999"}});
  EXPECT_THAT(problems("pin: 12345"),
              ElementsAre("b.yaml:1: pin: value out of range (***): write at most 9999"));
}

TEST_F(ConfigTest, RulesSeeOnlyGoodValues) {
  int asked = 0;
  schema_ = ConfigSchema(test_keys(), {[&](const Config& config, ConfigProblems& problems) {
                           ++asked;
                           if (config.get_int("server.threads") == 13) {
                             problems.add(config.line_of("server.threads"), "unlucky");
                           }
                         }});
  EXPECT_THAT(problems("server: {threads: many}"), Not(IsEmpty()));
  EXPECT_EQ(asked, 0);
  EXPECT_THAT(problems("\nserver: {threads: 13}"), ElementsAre("b.yaml:2: unlucky"));
  EXPECT_THAT(problems("server: {threads: 12}"), IsEmpty());
}

TEST_F(ConfigTest, LoadsAFileOrNamesIt) {
  ASSERT_TRUE(files_.write_file_atomically("/b.yaml", "rate: 2"));
  EXPECT_EQ(Config::load(schema_, "/b.yaml", sources_)->get_float("rate"), 2);
  EXPECT_EQ(Config::load(schema_, "", sources_)->get_float("rate"), 0.5);
  EXPECT_THAT(Config::load(schema_, "/no.yaml", sources_).error().lines(),
              ElementsAre(HasSubstr("/no.yaml: config cannot be read")));
  ASSERT_TRUE(files_.write_file_atomically("/big.yaml", std::string(kMaxConfigBytes + 1, '#')));
  EXPECT_THAT(Config::load(schema_, "/big.yaml", sources_).error().lines(),
              ElementsAre(HasSubstr("larger than the limit")));
}

TEST_F(ConfigTest, DiffNamesWhatChangedAndWhatItNeeds) {
  const Config before = good("server: {threads: 2, timeout: 1s}\nnote: a\n");
  const Config after = good("server: {threads: 3, timeout: 1000ms}\nnote: b\n");
  const auto changes = Config::diff(before, after);
  ASSERT_EQ(changes.size(), 2u);  // 1000ms is 1s
  EXPECT_EQ(changes[0].path, "server.threads");
  EXPECT_EQ(changes[0].old_text, "2");
  EXPECT_EQ(changes[0].new_text, "3");
  EXPECT_TRUE(changes[0].needs_restart);
  EXPECT_EQ(changes[1].path, "note");
  EXPECT_FALSE(changes[1].needs_restart);
  EXPECT_TRUE(Config::diff(before, before).empty());
}

TEST_F(ConfigTest, DiffShowsEntriesThatCameAndWent) {
  const Config one = good("");
  const Config two = good("server: {listen: [{}, {address: 'x:1'}]}");
  const auto came = Config::diff(one, two);
  ASSERT_EQ(came.size(), 3u);
  EXPECT_EQ(came[0].path, "server.listen[1].address");
  EXPECT_FALSE(came[0].old_text);
  EXPECT_EQ(came[0].new_text, "\"x:1\"");
  const auto went = Config::diff(two, one);
  ASSERT_EQ(went.size(), 3u);
  EXPECT_FALSE(went[0].new_text);
}

TEST_F(ConfigTest, DiffSeesASecretChangeButDoesNotTellIt) {
  const auto changes = Config::diff(good("auth: {password: old1, tokens: [old2]}"),
                                    good("auth: {password: new1, tokens: [old2, new2]}"));
  ASSERT_EQ(changes.size(), 2u);
  for (const ConfigChange& change : changes) {
    EXPECT_THAT(*change.old_text + *change.new_text, Not(HasSubstr("old")));
    EXPECT_THAT(*change.old_text + *change.new_text, Not(HasSubstr("new")));
  }
  const Config before = good("note: ${env:VAR}");
  variable_ = "other";
  const auto rotated = Config::diff(before, good("note: ${env:VAR}"));
  ASSERT_EQ(rotated.size(), 1u);
  EXPECT_EQ(rotated[0].new_text, "\"${env:VAR}\"");
}

using ConfigDeathTest = ConfigTest;

TEST_F(ConfigDeathTest, UnknownPathsAndWrongTypesAreOurMistakes) {
  const Config config = good("");
  EXPECT_DEATH((void)config.get_int("server.thread"), "CHECK");
  EXPECT_DEATH((void)config.get_int("server.insecure"), "CHECK");
  EXPECT_DEATH((void)config.get_int("server.timeout"), "CHECK");  // int64 too, but of another unit
  EXPECT_DEATH((void)config.get_string("server"), "CHECK");
  EXPECT_DEATH((void)config.at("server.listen", 1), "CHECK");
  EXPECT_DEATH((void)config.list_size("log.components"), "CHECK");
}

}  // namespace
}  // namespace binnacle
