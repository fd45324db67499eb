#include "query/promql/test_script_series.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/float_text.h"
#include "model/sample.h"

namespace binnacle::query::promql {
namespace {

// "up{a="b"}: 1 _ h", or the error.
std::string read(std::string_view line, size_t max_values = 1000) {
  const auto series = parse_script_series(line, max_values);
  if (!series) return "error: " + series.error().message;
  std::string out = series->labels.to_string() + ":";
  for (const ScriptValue& value : series->values) {
    out += ' ';
    if (value.kind == ScriptValue::Kind::kGap) {
      out += '_';
    } else if (value.kind == ScriptValue::Kind::kHistogram) {
      out += 'h';
    } else if (model::is_stale(value.value)) {
      out += "stale";
    } else {
      append_float_text(out, value.value);
    }
  }
  return out;
}

TEST(ScriptSeries, ReadsValuesGapsAndMarkers) {
  EXPECT_EQ(read("up 1 -2.5 1e3 .5 2. _ stale"), "up: 1 -2.5 1000 0.5 2 _ stale");
  EXPECT_EQ(read("up\tInf -Inf +Inf NaN nan"), "up: +Inf -Inf +Inf NaN NaN");
  EXPECT_EQ(read("up"), "up:");
}

TEST(ScriptSeries, ACountAddsOneValueMoreButNotOneGapMore) {
  EXPECT_EQ(read("up 1x2"), "up: 1 1 1");
  EXPECT_EQ(read("up 1x0"), "up: 1");
  EXPECT_EQ(read("up _x2 5"), "up: _ _ 5");
  EXPECT_EQ(read("up Infx1"), "up: +Inf +Inf");
}

TEST(ScriptSeries, StepsAreAddedOneByOne) {
  EXPECT_EQ(read("up 0+10x3"), "up: 0 10 20 30");
  EXPECT_EQ(read("up 5-2x2 7"), "up: 5 3 1 7");
  const auto series = parse_script_series("up 0+0.1x3", 100);
  ASSERT_TRUE(series);
  EXPECT_EQ(series->values.back().value, 0.1 + 0.1 + 0.1);  // not 0.3
}

TEST(ScriptSeries, ReadsLabelsInEveryForm) {
  EXPECT_EQ(read("up{b=\"2\", a=\"1\"} 1"), "up{a=\"1\", b=\"2\"}: 1");
  EXPECT_EQ(read("up {a=\"}\"} 1"), "up{a=\"}\"}: 1");
  EXPECT_EQ(read("{} 1"), "{}: 1");
  EXPECT_EQ(read("{\"http.status\", a=\"1\"} 1"), "{\"http.status\", a=\"1\"}: 1");
}

TEST(ScriptSeries, HistogramsAreReadAndLetGo) {
  EXPECT_EQ(read("h {{}}"), "h: h");
  EXPECT_EQ(read("h {{schema:-53 sum:1.5 buckets:[1 2 3] custom_values:[0.1 +Inf]}}x1 3"),
            "h: h h 3");
  EXPECT_EQ(read("h {{count:1}}+{{sum:2 count:1 offset:-1}}x2"), "h: h h h");
  EXPECT_EQ(read("h{a=\"b\"} {{counter_reset_hint:not_reset n_buckets:[] z_bucket_w:0.01}} _"),
            "h{a=\"b\"}: h _");
  EXPECT_TRUE(parse_script_series("h 1 {{}}", 9)->has_histogram());
  EXPECT_FALSE(parse_script_series("h 1 _", 9)->has_histogram());
}

TEST(ScriptSeries, SaysWhatIsWrong) {
  EXPECT_EQ(read("up 1,2"), "error: unexpected \",2\" after a value");
  EXPECT_EQ(read("up 1+2"), "error: unexpected end where x and a count must stand");
  EXPECT_EQ(read("up 1x"), "error: unexpected end where a count must stand");
  EXPECT_EQ(read("up fresh"), "error: unexpected \"fresh\" where a value must stand");
  EXPECT_EQ(read("up -"), "error: unexpected end where a value must stand");
  EXPECT_EQ(read("up 0x10z"), "error: unexpected \"z\" after a value");
  EXPECT_EQ(read("up{a=\"b 1"), "error: the labels have no closing }");
  EXPECT_TRUE(read("1 2").starts_with("error: "));
  EXPECT_EQ(read("h {{shema:1}}"), "error: unexpected \"shema:1}}\" in a histogram");
  EXPECT_EQ(read("h {{sum:1"), "error: unexpected end in a histogram");
  EXPECT_EQ(read("h {{buckets:[1 2"), "error: unexpected end where a value must stand");
  EXPECT_EQ(read("h {{}}+{{}}"), "error: unexpected end where x and a count must stand");
}

TEST(ScriptSeries, ACountCannotTakeTheMemory) {
  EXPECT_EQ(read("up 1x9", 10), "up: 1 1 1 1 1 1 1 1 1 1");
  EXPECT_EQ(read("up 1x10", 10), "error: too many values (more than 10)");
  EXPECT_EQ(read("up 1+1x4294967295", 10), "error: too many values (more than 10)");
  EXPECT_EQ(read("up _x4294967296", 10),
            "error: unexpected \"4294967296\" where a count must stand");
}

TEST(ScriptNumber, ReadsWhatABareNumberMayBe) {
  EXPECT_EQ(parse_script_number("-1.5e3"), -1500.0);
  EXPECT_EQ(parse_script_number("+Inf"), HUGE_VAL);
  EXPECT_EQ(parse_script_number("0x10"), 16.0);
  EXPECT_TRUE(std::isnan(parse_script_number("NaN").value()));
  for (const char* text : {"", "-", "--1", "1 2", "up", "{}", "1x"})
    EXPECT_FALSE(parse_script_number(text)) << text;
}

}  // namespace
}  // namespace binnacle::query::promql
