#include "base/config_yaml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = YamlNode::Kind;

// The tree in one line, "{a@1: [1, 'two'], b@2: ~}".
std::string show(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case Kind::kNull:
      return "~";
    case Kind::kScalar:
      return node.quoted ? "'" + node.text + "'" : node.text;
    case Kind::kSequence:
      for (const auto& item : node.items) out += (out.empty() ? "" : ", ") + show(*item);
      return "[" + out + "]";
    case Kind::kMap:
      for (const YamlEntry& entry : node.entries) {
        out += fmt::format("{}{}@{}: {}", out.empty() ? "" : ", ", entry.key, entry.line,
                           show(*entry.value));
      }
      return "{" + out + "}";
  }
  return out;
}

std::vector<std::string> problems_of(std::string_view text) {
  ConfigProblems problems("f");
  read_yaml(text, problems);
  return problems.lines();
}

std::string read_shown(std::string_view text) {
  ConfigProblems problems("f");
  const YamlNodePtr root = read_yaml(text, problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  return show(*root);
}

TEST(ReadYaml, KeepsLinesAndQuotes) {
  EXPECT_EQ(read_shown("a: [1, 'two', \"3\"]\n\n# note\nb:\n  c: ~\n  d:\n"),
            "{a@1: [1, 'two', '3'], b@4: {c@5: ~, d@6: ~}}");
}

TEST(ReadYaml, NothingIsANull) {
  EXPECT_EQ(read_shown(""), "~");
  EXPECT_EQ(read_shown("# a comment alone\n"), "~");
  EXPECT_EQ(read_shown("---\n...\n"), "~");
}

TEST(ReadYaml, AliasesStandForTheirAnchors) {
  EXPECT_EQ(read_shown("a: &x [1, 2]\nb: *x\n"), "{a@1: [1, 2], b@2: [1, 2]}");
}

TEST(ReadYaml, NamesTheLineOfBrokenSyntax) {
  EXPECT_THAT(problems_of("a: 1\nb: [1, 2\nc: 3\n"), ElementsAre(HasSubstr("f:3: bad YAML")));
  EXPECT_THAT(problems_of("a: 1\n\tb: 2\n"), ElementsAre(HasSubstr("f:2: bad YAML")));
  EXPECT_THAT(problems_of("a: *nobody\n"), ElementsAre(HasSubstr("f:1: bad YAML")));
}

TEST(ReadYaml, ReportsEveryDuplicateAndKeepsTheFirst) {
  ConfigProblems problems("f");
  const YamlNodePtr root = read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\n", problems);
  EXPECT_THAT(problems.lines(),
              ElementsAre("f:2: key stands twice in one map (c): keep one of them",
                          "f:3: key stands twice in one map (a): keep one of them"));
  EXPECT_EQ(show(*root), "{a@1: 1, b@2: {c@2: 1}}");
}

TEST(ReadYaml, RefusesKeysThatAreNotNames) {
  EXPECT_THAT(problems_of("? [a, b]\n: 1\n"), ElementsAre(HasSubstr("key of a map is a list")));
  EXPECT_THAT(problems_of("~: 1\n"), ElementsAre(HasSubstr("key of a map is nothing")));
}

TEST(ReadYaml, RefusesASecondDocument) {
  EXPECT_THAT(problems_of("a: 1\n---\nb: 2\n"), ElementsAre(HasSubstr("f:3: second document")));
}

TEST(ReadYaml, BoundsSizeAndDepth) {
  EXPECT_THAT(problems_of(std::string(kMaxConfigBytes + 1, '#')),
              ElementsAre(HasSubstr("file is too large (1048577 bytes)")));
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_THAT(problems_of(nested(kMaxConfigDepth)), IsEmpty());
  EXPECT_THAT(problems_of(nested(kMaxConfigDepth + 1)), ElementsAre(HasSubstr("nested deeper")));
  EXPECT_THAT(problems_of(nested(100'000)), ElementsAre(HasSubstr("nested deeper")));
}

TEST(ReadYaml, CountsDepthThroughAliases) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i <= kMaxConfigDepth; ++i) text += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  EXPECT_THAT(problems_of(text), ElementsAre(HasSubstr("nested deeper")));
}

TEST(ReadYaml, StopsABillionLaughs) {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
                        i - 1);
  }
  EXPECT_THAT(problems_of(text), ElementsAre(HasSubstr("more than 100000 values")));
}

TEST(ReadYaml, RefusesAnAliasOfItself) {
  EXPECT_THAT(problems_of("a: &a [1, *a]\n"),
              ElementsAre(HasSubstr("f:1: alias refers to a value")));
}

TEST(ConfigProblems, GoToATerminalWithoutControlCharacters) {
  ConfigProblems problems("f");
  problems.add(2, "bad value", "\x1b[31m" + std::string(200, 'x'), "mend it");
  problems.add(0, "whole file");
  EXPECT_THAT(problems.lines(),
              ElementsAre("f: whole file",
                          "f:2: bad value (\\x1b[31m" + std::string(75, 'x') + "...): mend it"));
}

TEST(ConfigProblems, AreCutInsideNoCharacter) {
  ConfigProblems problems("f");
  problems.add(1, "bad", std::string(79, 'x') + "\xC3\xA4", "mend it");
  EXPECT_THAT(problems.lines(), ElementsAre("f:1: bad (" + std::string(79, 'x') + "...): mend it"));
}

TEST(ConfigProblems, AreBounded) {
  ConfigProblems problems("f");
  for (int i = 1; i <= 250; ++i) problems.add(i, "bad");
  EXPECT_EQ(problems.lines().size(), 101u);
  EXPECT_EQ(problems.lines().back(), "f: 150 more problems");
  EXPECT_EQ(problems.to_error().code, Code::kInvalidArgument);
  EXPECT_THAT(problems.to_error().message, HasSubstr("f:1: bad\nf:2: bad\n"));
}

}  // namespace
}  // namespace binnacle
