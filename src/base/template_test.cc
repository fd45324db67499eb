#include "base/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace binnacle {
namespace {

using ::testing::HasSubstr;
using Args = std::span<const TemplateValue>;
using List = TemplateValue::List;
using Map = TemplateValue::Map;

TemplateFunctions functions() {
  return {
      {"fail", [](Args) -> Result<TemplateValue> { return fail(Code::kNotFound, "it failed"); }},
      {"upper",
       [](Args args) -> Result<TemplateValue> { return TemplateValue(args[0].text() + "!"); }},
      {"labels",
       [](Args) -> Result<TemplateValue> {
         return template_text_map({{"job", "node"}});
       }},
      {"safe",
       [](Args args) -> Result<TemplateValue> { return template_safe_text(args[0].text()); }},
  };
}

TemplateValue data() {
  return Map{
      {"Name", "world"},
      {"Zero", int64_t{0}},
      {"N", int64_t{42}},
      {"Pi", 3.25},
      {"Yes", true},
      {"List", List{"a", "b", "c"}},
      {"Empty", List{}},
      {"Map", Map{{"x", int64_t{1}}, {"y", "z"}}},
      {"Labels", template_text_map({{"job", "node"}, {"instance", "h:1"}})},
      {"Time", TemplateTime{1'700'000'000'123'000'000, ""}},
  };
}

std::string expand(std::string_view text, TemplateEscape escape = TemplateEscape::kNone) {
  const TemplateSet set(functions());
  const auto out = set.expand("t", text, data(), escape);
  return out ? *out : "ERROR " + out.error().message;
}

struct Case {
  std::string_view text;
  std::string_view want;
};

class TemplateCases : public testing::TestWithParam<Case> {};

TEST_P(TemplateCases, PrintsWhatGoPrints) { EXPECT_EQ(expand(GetParam().text), GetParam().want); }

INSTANTIATE_TEST_SUITE_P(Text, TemplateCases,
                         testing::Values(Case{"", ""}, Case{"plain } {", "plain } {"},
                                         Case{"a {{- 1 -}} b", "a1b"}, Case{"a {{ 1 }} b", "a 1 b"},
                                         Case{"a \n\t{{- /* no */ -}}\n b", "ab"},
                                         Case{"{{/* a */}}x{{/* b\nc */}}", "x"},
                                         Case{"{{-3}}", "-3"}, Case{"{{- -3 -}}", "-3"},
                                         Case{"{{\n.Name\n}}", "world"},
                                         Case{"  {{- /**/ -}}  ", ""}));

INSTANTIATE_TEST_SUITE_P(
    Values, TemplateCases,
    testing::Values(
        Case{"{{.Name}} {{ .N }} {{.Pi}} {{.Yes}}", "world 42 3.25 true"},
        Case{"{{.List}} {{.Map}} {{.Empty}}", "[a b c] map[x:1 y:z] []"},
        Case{"{{.Missing}}", "<no value>"}, Case{"{{.Labels.missing}}|", "|"},
        Case{"{{.Labels.job}} {{.Labels}}", "node map[instance:h:1 job:node]"},
        Case{"{{$.Name}} {{$x := .Map}}{{$x.y}}", "world z"},
        Case{"{{(index .List 1)}} {{(labels).job}} {{labels.job}}", "b node node"},
        Case{"{{1e3}} {{1000000.0}} {{0x1F}} {{'a'}} {{1_000}} {{.5}}",
             "1000 1e+06 31 97 1000 0.5"},
        Case{"{{\"a\\n\\u00e9\\x41\\101\"}} {{`raw\\n`}}", "a\néAA raw\\n"},
        Case{"{{true}} {{false}} {{print nil}}", "true false <nil>"},
        Case{"{{.Time}}", "2023-11-14 22:13:20.123 +0000 UTC"},
        Case{"{{.Time.Format \"Mon Jan _2 15:04:05.000 2006\"}}", "Tue Nov 14 22:13:20.123 2023"},
        Case{"{{.Time.Year}} {{.Time.Month}} {{.Time.Unix}}", "2023 November 1700000000"}));

INSTANTIATE_TEST_SUITE_P(
    Control, TemplateCases,
    testing::Values(
        Case{"{{if .Yes}}a{{else}}b{{end}}{{if .Zero}}a{{else}}b{{end}}", "ab"},
        Case{"{{if .Zero}}a{{else if .Empty}}b{{else if .Name}}c{{else}}d{{end}}", "c"},
        Case{"{{range .List}}{{.}},{{end}}", "a,b,c,"},
        Case{"{{range $i, $e := .List}}{{$i}}{{$e}}{{end}}", "0a1b2c"},
        Case{"{{range $e := .List}}{{$e}}{{end}}", "abc"},
        Case{"{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}", "x=1;y=z;"},
        Case{"{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "instance=h:1;job=node;"},
        Case{"{{range .Empty}}a{{else}}none{{end}}{{range .Missing}}a{{else}}none{{end}}",
             "nonenone"},
        Case{"{{range 3}}{{.}}{{end}}", "012"},
        Case{"{{range .List}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}", "ac"},
        Case{"{{range .List}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a"},
        Case{"{{with .Name}}{{.}}{{end}}{{with .Zero}}a{{else}}{{.Name}}{{end}}", "worldworld"},
        Case{"{{with .Zero}}a{{else with .N}}{{.}}{{else}}c{{end}}", "42"},
        Case{"{{with $x := .N}}{{$x}}{{$.Name}}{{end}}", "42world"},
        Case{"{{$x := 1}}{{if .Yes}}{{$x = 2}}{{end}}{{$x}}", "2"},
        Case{"{{$x := 1}}{{if .Yes}}{{$x := 2}}{{end}}{{$x}}", "1"},
        Case{"{{$x := 0}}{{range .List}}{{$x = .}}{{end}}{{$x}}", "c"},
        Case{"{{define \"a\"}}<{{.}}>{{end}}{{template \"a\" .Name}}{{template \"a\"}}",
             "<world><<no value>>"},
        Case{"{{block \"b\" .N}}[{{.}}]{{end}}{{template \"b\" 1}}", "[42][1]"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, TemplateCases,
    testing::Values(
        Case{"{{eq 1 1}} {{eq 1 2 3 1}} {{ne \"a\" \"b\"}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 1.0}} "
             "{{ge 1 2}}",
             "true true true true true true false"},
        Case{"{{eq .Missing nil}} {{eq .N nil}}", "true false"},
        Case{"{{and 1 0 2}} {{and 1 2}} {{or 0 \"\" 3 fail}} {{or 0 false}} {{not 0}}",
             "0 2 3 false true"},
        Case{"{{and .Zero fail}} {{if or .Yes fail}}ok{{end}}", "0 ok"},
        Case{"{{len .List}} {{len \"héllo\"}} {{len .Map}} {{len .Labels}} {{.List | len}}",
             "3 6 2 2 3"},
        Case{"{{index .List 2}} {{index .Map \"y\"}} {{index .Labels \"job\"}} {{index \"abc\" 1}}",
             "c z node 98"},
        Case{"{{slice \"abcdef\" 1 3}} {{slice .List 1}} {{slice .List 0 1 2}}", "bc [b c] [a]"},
        Case{"{{print 1 2 \"a\" \"b\" 3 4.5}}", "1 2ab3 4.5"},
        Case{"{{println \"a\" 1}}|", "a 1\n|"},
        Case{"{{.Name | upper | printf \"%s-%s\" \"a\"}}", "a-world!"},
        Case{"{{html \"<a href='x'>&\\\"\"}}", "&lt;a href=&#39;x&#39;&gt;&amp;&#34;"},
        Case{"{{js \"it's <b>\"}}", "it\\'s \\u003Cb\\u003E"},
        Case{"{{urlquery \"a b/c?d=é\"}} {{.Name | urlquery}}", "a+b%2Fc%3Fd%3D%C3%A9 world"},
        Case{"{{ ((.N)) }} {{ (printf \"%d\" .N) | len }}", "42 2"}));

INSTANTIATE_TEST_SUITE_P(
    Printf, TemplateCases,
    testing::Values(
        Case{"{{printf \"%s|%v|%q\" \"a\" \"b\" \"c\\n\\\"\"}}", "a|b|\"c\\n\\\"\""},
        Case{"{{printf \"%d %5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%U\" 1 2 3 -4 5 255 255 8 5 65 65}}",
             "1     2|3    |-0004|+5|ff|FF|10|101|A|U+0041"},
        Case{"{{printf \"%f %.2f %8.3f|%e %g %.3g %G\" 1.5 2.345 3.14159 1234.5 1e21 1234.5 1e-7}}",
             "1.500000 2.35    3.142|1.234500e+03 1e+21 1.23e+03 1E-07"},
        Case{"{{printf \"%t %v %T %T\" true nil 1 \"a\"}}", "true <nil> int string"},
        Case{"{{printf \"%5s|%-5s|%.2s|%5.1s|%x\" \"ab\" \"ab\" \"héllo\" \"xyz\" \"hi\"}}",
             "   ab|ab   |hé|    x|6869"},
        Case{"{{printf \"%d%%\" 50}}", "50%"}, Case{"{{printf \"%d\" \"x\"}}", "%!d(string=x)"},
        Case{"{{printf \"%s\" 5}} {{printf \"%d\" 1.5}}", "%!s(int=5) %!d(float64=1.5)"},
        Case{"{{printf \"%d %d\" 1}}", "1 %!d(MISSING)"},
        Case{"{{printf \"%d\" 1 2 \"a\"}}", "1%!(EXTRA int=2, string=a)"},
        Case{"{{printf \"%!\"}} {{printf \"%\"}}", "%!!(MISSING) %!(NOVERB)"},
        Case{"{{printf \"%[2]d %[1]d\" 1 2}} {{printf \"%*d\" 5 42}}", "2 1    42"},
        Case{"{{printf \"%v %d\" .List .Map}}",
             "[a b c] map[%!d(string=x):1 %!d(string=y):%!d(string=z)]"},
        Case{"{{printf \"%+v %q\" .List .List}}", "[a b c] [\"a\" \"b\" \"c\"]"},
        Case{"{{printf \"%08.3f|%+.1f|% d\" -3.14159 2.0 7}}", "-003.142|+2.0| 7"}));

struct ErrorCase {
  std::string_view text;
  std::string_view want;
};

class TemplateErrors : public testing::TestWithParam<ErrorCase> {};

TEST_P(TemplateErrors, NameTheirPlace) {
  EXPECT_THAT(expand(GetParam().text), HasSubstr("ERROR " + std::string(GetParam().want)));
}

INSTANTIATE_TEST_SUITE_P(
    Parse, TemplateErrors,
    testing::Values(
        ErrorCase{"{{", "t:1:3: an action has no end"},
        ErrorCase{"a\nb {{ .X", "t:2:8: an action has no end"},
        ErrorCase{"{{if .X}}", "t:1:3: {{if}} has no {{end}}"},
        ErrorCase{"{{end}}", "t:1:6: unexpected {{end}}"},
        ErrorCase{"{{else}}", "t:1:3: unexpected {{else}}"},
        ErrorCase{"{{if 1}}{{else}}{{else}}{{end}}", "t:1:19: expected {{end}}"},
        ErrorCase{"{{nosuch}}", "t:1:3: there is no function \"nosuch\""},
        ErrorCase{"{{$x}}", "t:1:3: the variable $x is not defined"},
        ErrorCase{"{{if 1}}{{$x := 1}}{{end}}{{$x}}", "t:1:29: the variable $x"},
        ErrorCase{"{{}}", "t:1:3: missing value for a pipeline"},
        ErrorCase{"{{if}}a{{end}}", "t:1:5: missing value for a pipeline"},
        ErrorCase{"{{.A | }}", "t:1:8: missing value for command"},
        ErrorCase{"{{.A | 3}}", "t:1:8: a pipeline goes on with a function"},
        ErrorCase{"{{\"a}}", "t:1:3: a text has no end"}, ErrorCase{"{{(.A}}", "t:1:6: "},
        ErrorCase{"{{.A)}}", "t:1:5: unexpected"},
        ErrorCase{"{{break}}", "t:1:3: {{break}} outside of {{range}}"},
        ErrorCase{"{{if 1}}{{define \"a\"}}{{end}}{{end}}", "t:1:11: {{define}} inside"},
        ErrorCase{"{{define \"a\"}}x{{end}}{{define \"a\"}}y{{end}}", "t:1:"},
        ErrorCase{"{{/* a", "t:1:1: a comment has no end"},
        ErrorCase{"{{1x}}", "t:1:3: \"1x\" is not a number"},
        ErrorCase{"{{99999999999999999999}}", "t:1:3: 99999999999999999999 does not fit"},
        ErrorCase{"{{.A ! }}", "t:1:6: unexpected character \"!\""}));

INSTANTIATE_TEST_SUITE_P(
    Run, TemplateErrors,
    testing::Values(
        ErrorCase{"a\n{{ fail }}", "t:2:4: in template \"t\": it failed"},
        ErrorCase{"{{.Name.X}}", "t:1:3: in template \"t\": string has no field X"},
        ErrorCase{"{{.Missing.X}}", "t:1:3: in template \"t\": <nil> has no field X"},
        ErrorCase{"{{template \"x\"}}", "t:1:3: in template \"t\": there is no template \"x\""},
        ErrorCase{"{{eq 1 1.0}}", "t:1:3: in template \"t\": eq: incompatible types"},
        ErrorCase{"{{gt 1.0 5}}", "t:1:3: in template \"t\": gt: incompatible types"},
        ErrorCase{"{{index .List 3}}", "t:1:3: in template \"t\": index: 3 is out of range"},
        ErrorCase{"{{.N 1}}", "t:1:3: in template \"t\": N is no method"},
        ErrorCase{"{{range .N}}{{end}}{{range .Pi}}{{end}}", "t:1:22: in template \"t\": range"},
        ErrorCase{"{{nil}}", "t:1:3: in template \"t\": nil is no command"},
        ErrorCase{"{{define \"d\"}}\n{{fail}}{{end}}{{template \"d\"}}",
                  "t:2:3: in template \"d\": it failed"}));

TEST(Template, RunsAreBounded) {
  const TemplateSet set;
  const auto code = [&](std::string_view text, const TemplateLimits& limits = {}) {
    const auto out = set.expand("t", text, {}, TemplateEscape::kNone, {}, limits);
    return out ? Code::kInternal : out.error().code;
  };
  EXPECT_EQ(code("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}"),
            Code::kResourceExhausted);
  EXPECT_EQ(code("{{range 100000000000}}{{end}}"), Code::kResourceExhausted);
  EXPECT_EQ(code("{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}"),
            Code::kResourceExhausted);
  EXPECT_EQ(code("{{$x := \"aaaaaaaa\"}}{{range 100}}{{$x = print $x $x}}{{end}}"),
            Code::kResourceExhausted);
  EXPECT_EQ(code("{{range 10}}abc{{end}}", {.max_output_bytes = 20}), Code::kResourceExhausted);
  EXPECT_EQ(code("{{printf \"%999999d\" 1}}{{printf \"%999999d\" 1}}"), Code::kResourceExhausted);
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "{{if 1}}";
  EXPECT_EQ(code(deep), Code::kInvalidArgument);
  EXPECT_EQ(code("{{" + std::string(100'000, '(')), Code::kInvalidArgument);
}

TEST(Template, FloatsPrintAsInGo) {
  const TemplateSet set;
  const auto text = [&](double value) { return *set.expand("t", "{{.}}", value); };
  EXPECT_EQ(text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(text(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(123456789), "1.23456789e+08");
  EXPECT_EQ(text(-0.0), "-0");
}

TEST(Template, LaterDefinitionsReplaceEarlierOnes) {
  TemplateSet set;
  ASSERT_TRUE(set.add("one", "{{define \"a\"}}1{{end}}{{define \"b\"}}b{{template \"a\"}}{{end}}"));
  ASSERT_TRUE(set.add("two", "{{define \"a\"}}2{{end}}{{define \"b\"}} {{end}}"));
  EXPECT_EQ(*set.expand("t", "{{template \"b\"}}", {}), "b2");
  EXPECT_EQ(*set.expand("t", "{{define \"a\"}}3{{end}}{{template \"b\"}}", {}), "b3");
  const auto bad = set.add("three", "{{define \"c\"}}\n{{x}}{{end}}");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "three:2:3: there is no function \"x\"");
}

TEST(Template, FunctionsOfARunHideTheSets) {
  const TemplateSet set(functions());
  const TemplateFunctions more = {
      {"upper", [](Args) -> Result<TemplateValue> { return TemplateValue("mine"); }},
      {"extra", [](Args) -> Result<TemplateValue> { return TemplateValue("extra"); }}};
  EXPECT_EQ(*set.expand("t", "{{upper 1}} {{extra}}", {}, TemplateEscape::kNone, more),
            "mine extra");
  EXPECT_FALSE(set.check("t", "{{extra}}"));
  const std::string_view names[] = {"extra"};
  EXPECT_TRUE(set.check("t", "{{extra}}", names));
}

TEST(Template, HtmlEscapesValuesButNotText) {
  EXPECT_EQ(expand("<b>{{\"<i>\"}}{{safe \"<u>\"}}</b>", TemplateEscape::kHtml),
            "<b>&lt;i&gt;<u></b>");
}

}  // namespace
}  // namespace binnacle
