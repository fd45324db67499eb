#include "watch/rules/rule_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "watch/rules/host_port.h"

namespace binnacle::watch::rules {
namespace {

using ::testing::HasSubstr;

std::string expand(std::string_view text, double value = 1234.5) {
  const model::Labels labels{{"__name__", "up"}, {"job", "node"}, {"instance", "h.example:9100"}};
  const model::Labels external{{"cluster", "c1"}};
  const TemplateQuery query = [](std::string_view expr) -> Result<std::vector<RuleSample>> {
    if (expr == "none") return std::vector<RuleSample>{};
    if (expr == "bad") return fail(Code::kInvalidArgument, "bad query");
    return std::vector<RuleSample>{{model::Labels{{"host", "b"}, {"__value__", "x"}}, 2},
                                   {model::Labels{{"host", "a"}}, 1500}};
  };
  const TemplateRun run{.rule = "R",
                        .text = text,
                        .labels = labels,
                        .value = value,
                        .at_ms = 1'700'000'000'500,
                        .external_labels = external,
                        .external_url = "http://prom.example/base",
                        .query = query};
  const auto out = expand_rule_template(run);
  return out ? *out : "ERROR " + out.error().message;
}

struct Case {
  std::string_view text;
  std::string_view want;
};

class RuleTemplates : public testing::TestWithParam<Case> {};

TEST_P(RuleTemplates, ExpandAsInPrometheus) { EXPECT_EQ(expand(GetParam().text), GetParam().want); }

INSTANTIATE_TEST_SUITE_P(
    All, RuleTemplates,
    testing::Values(
        Case{"plain", "plain"}, Case{"{{ $labels.job }} is {{ $value }}", "node is 1234.5"},
        Case{"{{ .Labels.instance }} {{ .Value | printf \"%.1f\" }} {{ $labels.none }}|",
             "h.example:9100 1234.5 |"},
        Case{"{{ $externalLabels.cluster }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
             "c1 http://prom.example/base http://prom.example/base /base"},
        Case{"{{ $labels }}", "map[__name__:up instance:h.example:9100 job:node]"},
        Case{"{{ query \"x\" | first | value }} {{ query \"x\" | first | label \"host\" }}", "2 b"},
        Case{"{{ range query \"x\" | sortByLabel \"host\" }}{{ .Labels.host }}={{ .Value }};{{ end "
             "}}",
             "a=1500;b=2;"},
        Case{"{{ query \"x\" | first | strvalue }}", "x"},
        Case{"{{ with query \"none\" }}some{{ else }}none{{ end }}", "none"},
        Case{
            "{{ $value | humanize }} {{ humanize 0.0123 }} {{ humanize \"1e7\" }} {{ humanize 0 }}",
            "1.234k 12.3m 10M 0"},
        Case{"{{ humanize1024 2048 }} {{ humanize1024 0.5 }} {{ humanize1024 1e12 }}",
             "2ki 0.5 931.3Gi"},
        Case{"{{ humanizeDuration 0 }} {{ humanizeDuration 59.5 }} {{ humanizeDuration 90 }} "
             "{{ humanizeDuration 90061 }} {{ humanizeDuration -3600 }} {{ humanizeDuration 0.0015 "
             "}}",
             "0s 59.5s 1m 30s 1d 1h 1m 1s -1h 0m 0s 1.5ms"},
        Case{"{{ humanizePercentage 0.1234 }}", "12.34%"},
        Case{"{{ humanizeTimestamp 1700000000.5 }}", "2023-11-14 22:13:20.5 +0000 UTC"},
        Case{"{{ (toTime 1700000000).Format \"15:04\" }} {{ now }}", "22:13 1.7000000005e+09"},
        Case{"{{ toDuration 90 }} {{ parseDuration \"1h30m\" }} {{ parseDuration \"-5m\" }}",
             "1m30s 5400 -300"},
        Case{"{{ title \"foo bar\" }} {{ toUpper \"aé\" }} {{ toLower \"AÉ\" }}", "Foo Bar AÉ aé"},
        Case{"{{ match \"^h\" $labels.instance }} {{ reReplaceAll \"(.*):.*\" \"$1\" "
             "$labels.instance }}",
             "true h.example"},
        Case{"{{ stripPort $labels.instance }} {{ stripDomain $labels.instance }}",
             "h.example h:9100"},
        Case{"{{ graphLink \"up == 0\" }} {{ tableLink \"up\" }} {{ urlQueryEscape \"a b\" }}",
             "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up&g0.tab=1 a+b"},
        Case{
            "{{ define \"d\" }}{{ .arg0 }}-{{ .arg1 }}{{ end }}{{ template \"d\" (args 1 \"x\") }}",
            "1-x"},
        Case{"{{ if gt $value 1000.0 }}high{{ end }}", "high"}));

TEST(RuleTemplate, ErrorsSayWhereInTheUsersText) {
  EXPECT_THAT(expand("a {{ $labels.job | humanize }}"),
              HasSubstr("__alert_R:1:20: in template \"__alert_R\": humanize: \"node\" is not"));
  EXPECT_THAT(expand("{{ query \"none\" | first }}"), HasSubstr("no elements"));
  EXPECT_THAT(expand("{{ query \"bad\" }}"), HasSubstr("bad query"));
  EXPECT_THAT(expand("{{ reReplaceAll \"(\" \"\" \"\" }}"), HasSubstr("does not parse"));
  EXPECT_THAT(expand("{{ .Nope }}"), HasSubstr("there is no field Nope"));
  const auto bad = check_rule_template("R", "x {{ $lables.job }}");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "R:1:6: the variable $lables is not defined");
  EXPECT_TRUE(check_rule_template("R", "{{ query \"up\" }} {{ now }} {{ $value }}"));
  EXPECT_FALSE(check_rule_template("R", "{{ tmpl \"x\" . }}"));
}

TEST(HostPort, IsSplitAsGoDoes) {
  EXPECT_EQ(strip_port("[::1]:80"), "::1");
  EXPECT_EQ(strip_port("::1"), "::1");
  EXPECT_EQ(strip_port("host"), "host");
  EXPECT_EQ(strip_domain("10.0.0.1:80"), "10.0.0.1:80");
  EXPECT_EQ(strip_domain("[::1]:80"), "[::1]:80");
  EXPECT_EQ(strip_domain("a.b.c"), "a");
  EXPECT_EQ(strip_domain("a.b.c:1"), "a:1");
}

}  // namespace
}  // namespace binnacle::watch::rules
