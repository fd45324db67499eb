#include "collect/exposition/exposition.h"

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::collect::exposition {
namespace {

using model::MetricType;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kTypeNames[] = {"unknown",        "counter", "gauge", "histogram",
                                           "gaugehistogram", "summary", "info",  "stateset"};

// One line for each entry; an error is the last line, `error: ...`.
std::string print(const Reader& reader, const Entry& entry) {
  switch (entry.kind) {
    case Entry::Kind::kEnd:
      return "end";
    case Entry::Kind::kType:
      return fmt::format("type {} {}", entry.family, kTypeNames[static_cast<size_t>(entry.type)]);
    case Entry::Kind::kHelp:
      return fmt::format("help {} [{}]", entry.family, entry.text);
    case Entry::Kind::kUnit:
      return fmt::format("unit {} [{}]", entry.family, entry.text);
    case Entry::Kind::kSample:
      break;
  }
  model::LabelsBuilder labels;
  if (auto read = reader.read_labels(labels); !read) return "error: " + read.error().message;
  std::string out = fmt::format("{} {}", labels.build().to_string(), entry.value);
  if (entry.timestamp_ms) out += fmt::format(" @{}", *entry.timestamp_ms);
  if (entry.has_exemplar) out += " exemplar";
  return out;
}

std::vector<std::string> read_all(std::string_view body, Format format) {
  Reader reader;
  reader.begin(body, format);
  std::vector<std::string> out;
  for (;;) {
    Entry entry;
    if (auto next = reader.next(entry); !next) {
      out.push_back("error: " + next.error().message);
      return out;
    }
    if (entry.kind == Entry::Kind::kEnd) return out;
    out.push_back(print(reader, entry));
    if (out.back().starts_with("error")) return out;
  }
}

std::vector<std::string> text(std::string_view body) { return read_all(body, Format::kText); }
std::vector<std::string> open(std::string_view body) {
  return read_all(body, Format::kOpenMetrics);
}

TEST(Text, AWholePage) {
  EXPECT_THAT(text(R"(# HELP pump_seconds How long the pump ran.
# 	TYPE pump_seconds summary
pump_seconds{quantile="0"} 4.9351e-05
pump_seconds{quantile="0.25",} 7.424100000000001e-05
pump_seconds{ quantile="0.9", a="b"} 8.3835e-05
pump_seconds_count 99

# a remark
#
#TYPE is none without a space
# HELPful remark
# TYPE valve_seconds histogram
valve_seconds_bucket{handler="/",le="1"} 423
valve_seconds_bucket{handler="/",le="+Inf"} 1423
# HELP nothing
level:rate5m{a_b="c"}	1
# TYPE level gauge
level 33  	123123
# TYPE odd untyped
_odd{_l="foo"} -0
)"),
              ElementsAre("help pump_seconds [How long the pump ran.]", "type pump_seconds summary",
                          R"(pump_seconds{quantile="0.0"} 4.9351e-05)",
                          R"(pump_seconds{quantile="0.25"} 7.424100000000001e-05)",
                          R"(pump_seconds{a="b", quantile="0.9"} 8.3835e-05)",
                          "pump_seconds_count 99", "type valve_seconds histogram",
                          R"(valve_seconds_bucket{handler="/", le="1.0"} 423)",
                          R"(valve_seconds_bucket{handler="/", le="+Inf"} 1423)", "help nothing []",
                          R"(level:rate5m{a_b="c"} 1)", "type level gauge", "level 33 @123123",
                          "type odd unknown", R"(_odd{_l="foo"} -0)"));
}

TEST(Text, BlanksMayStandAnywhere) {
  for (const std::string_view line :
       {R"(up{a="b",c="d"} 1)", R"(up {a="b",c="d"} 1)", R"(  up { a = "b" , c = "d" , } 1 )",
        "\tup\t{\ta\t=\t\"b\"\tc\t=\t\"d\"\t}\t1\t", R"(up{a="b" c="d"}1)"}) {
    EXPECT_THAT(text(line), ElementsAre(R"(up{a="b", c="d"} 1)")) << line;
  }
}

TEST(Text, SeriesIsTheRawText) {
  Reader reader;
  reader.begin("up 1\nup{a=\"}\\\"\"} 2\nup {} 3\n{\"u.p\"} 4", Format::kText);
  for (const std::string_view series : {"up", R"(up{a="}\""})", "up {}", R"({"u.p"})"}) {
    Entry entry;
    ASSERT_TRUE(reader.next(entry));
    EXPECT_EQ(entry.series, series);
  }
  EXPECT_EQ(reader.line(), 4u);
}

TEST(Text, AKnownSeriesIsReadByItsLength) {
  Reader reader;
  reader.begin("up{a=\"b\"} 1 5\nup 2\n", Format::kText);
  Entry entry;
  const std::string_view known = R"(up{a="b"})";
  ASSERT_TRUE(reader.rest().starts_with(known));
  ASSERT_TRUE(reader.next_known(known.size(), entry));
  EXPECT_EQ(entry.series, known);
  EXPECT_EQ(entry.value, 1);
  EXPECT_EQ(entry.timestamp_ms, 5);
  EXPECT_EQ(reader.rest(), "up 2\n");
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.series, "up");
  EXPECT_FALSE(entry.timestamp_ms);
}

TEST(Text, NamesOfAnyUtf8StandInQuotes) {
  EXPECT_THAT(text("# HELP \"go.gc\" Help.\n"
                   "# TYPE \"go.gc\" summary\n"
                   "{\"go.gc\",quantile=\"1\"} 1\n"
                   "{ \"go.gc\" , \"a.b\" = \"c\" , } 2\n"
                   "{a=\"b\",\"go.gc\"} 3\n"
                   "{\"öl\\n\",\"q \\\"1\\\"\"=\"6\"} 4\n"
                   "{\"up\"} 5\n"),
              ElementsAre("help go.gc [Help.]", "type go.gc summary",
                          R"({"go.gc", quantile="1.0"} 1)", R"({"go.gc", "a.b"="c"} 2)",
                          R"({"go.gc", a="b"} 3)", R"({"öl\n", "q \"1\""="6"} 4)", "up 5"));
}

TEST(Text, EscapesAreResolvedAndUnknownOnesStay) {
  EXPECT_THAT(text(R"(up{a="\\n\n\"\x",b="\\"} 1)"),
              ElementsAre("up{a=\"\\\\n\\n\\\"\\\\x\", b=\"\\\\\"} 1"));
  EXPECT_THAT(text("# HELP up a\\\\b\\nc\\\"d"), ElementsAre("help up [a\\b\nc\\\"d]"));
  EXPECT_THAT(open("# HELP up a\\\\b\\nc\\\"d\n# EOF"), ElementsAre("help up [a\\b\nc\"d]"));
}

TEST(Text, ValuesHoldLineBreaksAndNulBytes) {
  EXPECT_THAT(text("up{a=\"b\nc\"} 1\n"), ElementsAre(R"(up{a="b\nc"} 1)"));
  const std::string nul("up{a=\"b\0c\"} 1\n", 14);
  EXPECT_THAT(text(nul), ElementsAre(std::string("up{a=\"b\0c\"} 1", 13)));
}

TEST(Text, LinesMayEndAsOnWindowsAndTheLastNotAtAll) {
  EXPECT_THAT(text("# TYPE up gauge\r\nup 1\r\n\r\nup{a=\"b\"} 2 3\r\nup 4\r"),
              ElementsAre("type up gauge", "up 1", R"(up{a="b"} 2 @3)", "up 4"));
  EXPECT_THAT(text("up 1"), ElementsAre("up 1"));
  EXPECT_THAT(text("# HELP up"), ElementsAre("help up []"));
  EXPECT_THAT(text("# remark"), ElementsAre());
  EXPECT_THAT(text(""), ElementsAre());
}

TEST(Text, EmptyLabelsVanish) {
  EXPECT_THAT(text("up{a=\"\"} 1\nup{} 2"), ElementsAre("up 1", "up 2"));
}

TEST(Text, AMegabyteIsAValueToo) {
  const std::string big(1 << 20, 'x');
  Reader reader;
  const std::string body = "up{a=\"" + big + "\"} 1\nup 2\n";
  reader.begin(body, Format::kText);
  Entry entry;
  ASSERT_TRUE(reader.next(entry));
  model::LabelsBuilder labels;
  ASSERT_TRUE(reader.read_labels(labels));
  EXPECT_EQ(labels.get("a"), big);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.value, 2);
}

TEST(Text, WhatIsWrongIsNamedWithItsPlace) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a", "line 1, column 2: expected the value (the body ends here)"},
      {"a\n", "line 1, column 2: expected the value"},
      {"up 1\na{b=\"c\"} ", "line 2, column 10: expected the value (the body ends here)"},
      {"a{b=\"c", "line 1, column 5: a quoted text has no end: \"\"c\""},
      {"a{b=\"c\"", "line 1, column 8: expected `}` at the end of the labels"},
      {"a{b=\"c\"\n} 1", "line 1, column 8: expected `}` at the end of the labels"},
      {"a{b=c} 1", "expected a label's value in quotes at \"c}\""},
      {"a{b} 1", "expected `=` at \"}\""},
      {"a{1b=\"c\"} 1", "expected a label's name at \"1b=\"c\"}\""},
      {"a{:b=\"c\"} 1", "expected a label's name"},
      {"a{,} 1", "expected a label's name at \",}\""},
      {"a{b=\"c\",,} 1", "expected a label's name at \",}\""},
      {"a{\"b\"} 1", "the metric has a second name"},
      {"{\"a\",\"b\"} 1", "the metric has a second name"},
      {"{a=\"b\"} 1", "the series has no metric name"},
      {"a{b=\"c\",b=\"d\"} 1", "line 1: label \"b\" is there twice"},
      {"up 1\na{b=\"\",b=\"\"} 1", "line 2: label \"b\" is there twice"},
      {"a{__name__=\"b\"} 1", "label \"__name__\" is there twice"},
      {"a{b=\"\xff\"} 1", "a label is not valid UTF-8"},
      {"{\"\xff\"} 1", "a metric's name is not valid UTF-8"},
      {"9metric 1", "expected a metric's name, `{` or `#`: \"9metric 1\""},
      {"<html><body>", "line 1, column 1: expected a metric's name, `{` or `#`: \"<html><body>\""},
      {"{\"status\":\"ok\"}", "expected the value"},
      {"a b", "line 1, column 3: not a number: \"b\""},
      {"a 1_2", "not a number"},
      {"a 0x1p-3", "not a number"},
      {"a 0x10", "not a number"},
      {"a 1e", "not a number"},
      {"a 1e999", "not a number"},
      {"a --1", "not a number"},
      {"a +nan", "not a number"},
      {"a 1 x", "expected a timestamp in milliseconds or the end of the line"},
      {"a 1 -5", "expected a timestamp in milliseconds"},
      {"a 1 1.5", "expected the end of the line: \".5\""},
      {"a 1 9223372036854775808", "the timestamp is out of range"},
      {"a 1 2 3", "expected the end of the line: \"3\""},
      {"a 1 # {x=\"y\"} 2", "expected a timestamp in milliseconds"},
      {"# TYPE a thing", "not a type of metric: \"thing\""},
      {"# TYPE a info", "not a type of metric"},
      {"# TYPE 9 gauge", "expected a metric's name"},
      {"# HELP \"a b", "a quoted text has no end"},
      {"# HELP a \xff", "the help is not valid UTF-8"},
  };
  for (const auto& [body, message] : cases) {
    const auto lines = text(body);
    ASSERT_FALSE(lines.empty()) << body;
    EXPECT_THAT(lines.back(), HasSubstr("error: ")) << body;
    EXPECT_THAT(lines.back(), HasSubstr(message)) << body;
  }
}

TEST(Text, LabelsHaveABound) {
  std::string body = "a{";
  for (size_t i = 0; i <= kMaxLabelsOfSeries; ++i) body += fmt::format("l{}=\"v\",", i);
  EXPECT_THAT(text(body + "} 1"), ElementsAre(HasSubstr("more than 1024 labels")));
}

// A page that breaks off anywhere is either good as far as it goes or an error, never more.
TEST(Text, EveryCutOfAPageIsReadToItsEnd) {
  const std::string page =
      "# HELP a b\n# TYPE a counter\na{b=\"c\\\"\",d=\"e\"} 1.5e3 7\n{\"a.b\"} NaN\n";
  for (size_t size = 0; size <= page.size(); ++size) {
    const std::string cut = page.substr(0, size);
    EXPECT_LE(text(cut).size(), 5u);
    EXPECT_LE(open(cut).size(), 5u);
  }
}

TEST(OpenMetrics, AWholePage) {
  EXPECT_THAT(
      open(R"(# HELP pump_seconds How long.
# TYPE pump_seconds summary
# UNIT pump_seconds seconds
pump_seconds{quantile="0.25"} 7.4e-05
# TYPE valve histogram
valve_bucket{le="1"} 5 # {trace="x}"} 0.5 1520879607.789
valve_bucket{le="+Inf"} 6 1.5 # {} 4
valve_created 1520872607.123
# TYPE gh gaugehistogram
# TYPE i info
i_info{a="b",} 1
# TYPE s stateset
s{s="on"} 1.0
# TYPE u unknown
u 12 -0.25
# HELP "f.g" x
{"f.g","h.i"="j"} NaN
# EOF
)"),
      ElementsAre("help pump_seconds [How long.]", "type pump_seconds summary",
                  "unit pump_seconds [seconds]", R"(pump_seconds{quantile="0.25"} 7.4e-05)",
                  "type valve histogram", R"(valve_bucket{le="1.0"} 5 exemplar)",
                  R"(valve_bucket{le="+Inf"} 6 @1500 exemplar)", "valve_created 1520872607.123",
                  "type gh gaugehistogram", "type i info", R"(i_info{a="b"} 1)", "type s stateset",
                  R"(s{s="on"} 1)", "type u unknown", "u 12 @-250", "help f.g [x]",
                  R"({"f.g", "h.i"="j"} nan)"));
}

TEST(OpenMetrics, IsStrict) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "OpenMetrics ends with `# EOF`"},
      {"a 1", "OpenMetrics ends with `# EOF`"},
      {"a 1\n", "line 2, column 1: OpenMetrics ends with `# EOF`"},
      {"a 1\n# TYPE a gauge", "OpenMetrics ends with `# EOF`"},
      {"\n# EOF\n", "expected a metric's name, `{` or `#`"},
      {" a 1\n# EOF\n", "expected a metric's name"},
      {"a  1\n# EOF\n", "expected the value"},
      {"a\t1\n# EOF\n", "expected a space and the value"},
      {"a {b=\"c\"} 1\n# EOF\n", "not a number"},
      {"a{ b=\"c\"} 1\n# EOF\n", "expected a label's name"},
      {"a{b=\"c\" d=\"e\"} 1\n# EOF\n", "expected a comma or `}`"},
      {"a{b=\"c\nd\"} 1\n# EOF\n", "line break"},
      {"a 1 x\n# EOF\n", "expected a timestamp in seconds"},
      {"a 1 NaN\n# EOF\n", "expected a timestamp in seconds"},
      {"a 1 1e300\n# EOF\n", "expected a timestamp in seconds"},
      {"a 1 # {b=\"c\"}\n# EOF\n", ""},
      {"a 1 # {b=\"c\n# EOF\n", "a quoted text has no end"},
      {"a 1 # b\n# EOF\n", "expected an exemplar"},
      {"a 1 # {} x\n# EOF\n", "expected a number in the exemplar"},
      {"# remark\n# EOF\n", "expected HELP, TYPE, UNIT or EOF"},
      {"#EOF\n", "expected a space behind `#`"},
      {"# HELP a\n# EOF\n", "expected a space and a text"},
      {"# TYPE a untyped\n# EOF\n", "not a type of metric"},
      {"# UNIT a_seconds bytes\n# EOF\n", "the metric's name does not end in its unit"},
      {"# UNIT seconds seconds\n# EOF\n", "the metric's name does not end in its unit"},
      {"# EOF\na 1\n", "there is more behind `# EOF`"},
      {"# EOF \n", "there is more behind `# EOF`"},
  };
  for (const auto& [body, message] : cases) {
    const auto lines = open(body);
    if (message.empty()) continue;
    ASSERT_FALSE(lines.empty()) << body;
    EXPECT_THAT(lines.back(), HasSubstr("error: ")) << body;
    EXPECT_THAT(lines.back(), HasSubstr(message)) << body;
  }
}

TEST(ContentType, NamesTheFormat) {
  EXPECT_EQ(format_of("").value(), Format::kText);
  EXPECT_EQ(format_of("text/plain").value(), Format::kText);
  EXPECT_EQ(format_of("text/plain; version=0.0.4; charset=utf-8").value(), Format::kText);
  EXPECT_EQ(format_of(" Text/Plain ;version=1.0.0").value(), Format::kText);
  EXPECT_EQ(format_of("application/openmetrics-text; version=1.0.0").value(), Format::kOpenMetrics);
  for (const std::string_view other :
       {"text/html", "application/json", "text/plainer", "application/vnd.google.protobuf"}) {
    const auto format = format_of(other);
    ASSERT_FALSE(format) << other;
    EXPECT_EQ(format.error().code, Code::kInvalidArgument);
    EXPECT_THAT(format.error().message, HasSubstr(other));
  }
}

}  // namespace
}  // namespace binnacle::collect::exposition
