// The same templates on the same data through Debian's amtool and through us: what Go's own engine
// makes of them is what we must make. Skipped where there is no amtool.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/check.h"
#include "net/coroutine_test_loop.h"
#include "net/run_program.h"
#include "watch/alerts/template_defaults.h"
#include "watch/alerts/testing/template_fixture.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kCases[] = {
    // The data and its methods.
    "{{ .Receiver }} {{ .Status }} {{ .ExternalURL }} {{ len .Alerts }}",
    "{{ .CommonLabels.SortedPairs.Names }} {{ .CommonLabels.Names }} {{ .GroupLabels.Values }}",
    "{{ range .CommonLabels.SortedPairs }}{{ . }}{{ end }}",
    "{{ .CommonLabels.Remove .GroupLabels.Names | len }} {{ .CommonLabels.Remove (stringSlice) | "
    "len }}",
    "{{ range $k, $v := .CommonLabels }}{{ $k }}:{{ $v }},{{ end }}{{ .CommonLabels.nope }}",
    "{{ (index .Alerts 0).Labels.instance }} {{ (index .Alerts.Firing 0).Fingerprint }}",
    "{{ range $i, $a := .Alerts }}{{ $i }}{{ $a.Status }}{{ $a.StartsAt }}{{ end }}",
    "{{ (index .Alerts 0).EndsAt.IsZero }} {{ (index .Alerts 0).EndsAt }}",
    "{{ (index .Alerts 0).StartsAt.Format \"Mon, 02 Jan 2006 15:04:05 MST -07:00 .000 pm\" }}",
    "{{ with index .Alerts 1 }}{{ .EndsAt.Sub .StartsAt }} {{ .EndsAt.After .StartsAt }}{{ end }}",
    "{{ (index .Alerts 0).StartsAt.Year }} {{ (index .Alerts 0).StartsAt.Month }}"
    " {{ (index .Alerts 0).StartsAt.Weekday }} {{ (index .Alerts 0).StartsAt.YearDay }}",
    // The language.
    "{{- /* c */ -}} a {{- 1 }} {{ 2 -}} b",
    "{{ $x := 1 }}{{ range .Alerts }}{{ $x = len .Labels }}{{ end }}{{ $x }}",
    "{{ range .Alerts }}{{ if eq .Status \"resolved\" }}{{ break }}{{ end }}{{ .Status }}{{ end }}",
    "{{ range .Alerts }}{{ if eq .Status \"firing\" }}{{ continue }}{{ end }}{{ .Status }}{{ end "
    "}}",
    "{{ if and .Alerts (gt (len .Alerts) 1) }}many{{ else if .Alerts }}one{{ else }}none{{ end }}",
    "{{ with .CommonLabels.nope }}a{{ else }}b{{ end }}{{ range .Alerts.Firing }}{{ else }}e{{ end "
    "}}",
    "{{ define \"x\" }}[{{ . }}]{{ end }}{{ template \"x\" .Status }}{{ template \"x\" }}"
    "{{ template \"x\" 1.0 }}{{ template \"x\" true }}{{ template \"x\" (len .Alerts) }}",
    "{{ block \"y\" .Status }}<{{ . }}>{{ end }}",
    "{{ or 0 \"\" .Status }} {{ and 1 0 }} {{ not .Status }} {{ or nil 3 }}",
    "{{ eq .Status \"a\" \"firing\" }} {{ lt 1 2 }} {{ le 1.5 1.5 }} {{ ge \"a\" \"b\" }} {{ ne 1 "
    "2 }}",
    "{{ slice .Status 1 3 }} {{ slice (stringSlice \"a\" \"b\" \"c\") 1 }} {{ index \"abc\" 1 }}",
    "{{ (((.Status))) }} {{ .Status | }} {{ .Status | printf \"%s-%s\" \"a\" | len }}",
    "{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 'a' }} {{ '\\n' }} {{ 1e3 }} {{ 1.0 }} {{ "
    "0x1p4 }}",
    "{{ \"\\u00e9\\x41\\101\\\"\" }}{{ `raw\\n` }}",
    // Printing.
    "{{ print 1 2 \"a\" \"b\" 3 4.5 true nil }} {{ println 1 \"a\" }}",
    "{{ printf \"%v %d %5d|%-5d|%05d %+d %x %X %#x %o %b %c %U %q\" 1 2 3 4 -5 6 255 255 255 8 5 "
    "65 65 65 }}",
    "{{ printf \"%f %.2f %8.3f|%-8.1f|%e %.3e %g %.3g %G %+.1f %08.2f\" 1.5 2.345 3.14159 2.0 "
    "1234.5 "
    "1234.5 1e21 1234.5 1e-7 2.0 -3.14 }}",
    "{{ printf \"%s|%10s|%-10s|%.2s|%q|%x|%X|% x|%v\" \"a\" \"bé\" \"c\" \"défg\" "
    "\"q\\n\\\"é\\x00\" \"hi\" \"hi\" "
    "\"hi\" \"v\" }}",
    "{{ printf \"%t %v %5t|%T %T %T %T\" true false true 1 1.5 \"a\" true }}",
    "{{ printf \"%d %s %f %t %z\" \"a\" 1 2 \"b\" 3 }} {{ printf \"%d\" }} {{ printf \"%d\" 1 2 }}",
    "{{ printf \"%!\" }} {{ printf \"%\" }} {{ printf \"100%%\" }} {{ printf \"%[2]d %[1]d\" 1 2 }}"
    " {{ printf \"%[5]d\" 1 }} {{ printf \"%*d|%-*d|\" 5 42 4 7 }} {{ printf \"%.*f\" 2 3.14159 }}",
    "{{ printf \"%v %s %q %d\" (stringSlice \"a\" \"b\") (stringSlice \"a\") (stringSlice \"a\") 5 "
    "}}",
    "{{ printf \"%6.2f%%|%3c|%-3c|%#q|%+q\" 99.5 65 66 \"a`b\" \"é\" }}",
    "{{ 1e6 }} {{ 123456789.0 }} {{ 0.000001 }} {{ 1e-7 }} {{ 100000.0 }} {{ 1e20 }} {{ 3.0 }}",
    // Functions.
    "{{ toUpper \"aé\" }} {{ toLower \"AÉ\" }} {{ title \"node down\" }} {{ join \"-\" "
    "(stringSlice \"a\" \"b\") }}",
    "{{ match \"^f.*g$\" .Status }} {{ reReplaceAll \"(f)(i)\" \"$2-${1}x$1x$$\" .Status }}",
    "{{ reReplaceAll \"x*\" \"-\" \"axxb\" }} {{ reReplaceAll \"\" \"-\" \"ab\" }}",
    "{{ html \"<a href='x'>&\\\"\" }} {{ js \"it's \\\"<b>\\\" = &\" }} {{ urlquery \"a b/?é=&\" 1 "
    "}}",
    "{{ safeHtml \"<b>\" }} {{ len (stringSlice \"a\" \"b\") }} {{ len \"é\" }}",
    // The defaults.
    "{{ template \"__subject\" . }}|{{ template \"__alertmanagerURL\" . }}",
    "{{ template \"slack.default.fallback\" . }} {{ template \"slack.default.color\" . }}",
    "{{ template \"opsgenie.default.description\" . }}",
    "{{ template \"telegram.default.message\" . }}{{ template \"wechat.default.message\" . }}",
    "{{ template \"msteams.default.text\" . }}{{ template \"jira.default.priority\" . }}",
    "{{ template \"pagerduty.default.instances\" .Alerts.Firing }}",
};

// Of the HTML of a mail: what is escaped and what is not.
constexpr std::string_view kHtmlCases[] = {
    "<b>{{ (index .Alerts 0).Annotations.summary }}</b> {{ safeHtml \"<i>\" }} {{ \"'\" }}{{ 1.5 "
    "}}",
    "{{ template \"email.default.html\" . }}",
};

constexpr std::string_view kWrong[] = {
    "{{ .Nope }}",
    "{{ nosuch }}",
    "{{ template \"nosuch\" }}",
    "{{ index .Alerts 5 }}",
    "{{ if }}{{ end }}",
    "{{ if 1 }}",
    "{{ eq 1 1.0 }}",
    "{{ .Status.X }}",
    "{{ $x }}",
    "{{ 1 | 2 }}",
    "{{ range 1.5 }}{{ end }}",
    "{{ nil }}",
    "{{ .Status 1 }}",
    "{{ break }}",
    "{{ len 3 }}",
    "{{ lt 1 \"a\" }}",
    "{{ slice 3 1 }}",
    "{{ printf 5 }}",
    "{{ \"a }}",
    "{{ (1 }}",
    "{{ else }}",
    "{{ 1x }}",
    "{{ .Alerts.Nope }}",
    "{{ match \"(\" \"\" }}",
};

class AmtoolTemplates : public TemplatesTest {
 protected:
  void SetUp() override {
    const auto version = run({"amtool", "--version"});
    if (!version) GTEST_SKIP() << "no amtool";
    ASSERT_TRUE(files_.write_file_atomically(folder_ + "/defaults.tmpl", default_templates()));
    ASSERT_TRUE(files_.write_file_atomically(
        folder_ + "/data.json", *template_json(template_data(template_notification()))));
  }

  void TearDown() override { ASSERT_TRUE(files_.remove_all(folder_)); }

  static Result<net::ProgramRun> run(std::vector<std::string> argv) {
    net::TestLoop loop;
    return loop.run(net::run_program({.argv = std::move(argv)},
                                     {.timeout = std::chrono::milliseconds(15'000)}));
  }

  Result<net::ProgramRun> render(std::string_view text, std::string_view type) {
    return run({"amtool", "template", "render", "--template.glob=" + folder_ + "/*.tmpl",
                "--template.data=" + folder_ + "/data.json",
                fmt::format("--template.type={}", type), fmt::format("--template.text={}", text)});
  }

  const std::string folder_ = [] {
    std::string pattern = testing::TempDir() + "binnacle-amtool-XXXXXX";
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    return pattern;
  }();
};

// All in one run of amtool, since each start of it costs more than all templates.
std::string all_of(std::span<const std::string_view> cases) {
  std::string out;
  for (const std::string_view text : cases) out.append(text).append("\n=====\n");
  return out;
}

std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> out;
  for (;;) {
    const size_t end = text.find("\n=====\n");
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 7);
  }
}

TEST_F(AmtoolTemplates, PrintsTheSame) {
  const auto theirs = render(all_of(kCases), "text");
  ASSERT_TRUE(theirs) << theirs.error().message;
  ASSERT_EQ(theirs->exit.code, 0) << theirs->err;
  const auto mine = expanded(all_of(kCases));
  ASSERT_TRUE(mine) << mine.error().message;
  const std::vector<std::string> want = parts_of(theirs->out);
  const std::vector<std::string> have = parts_of(*mine);
  ASSERT_EQ(have.size(), want.size());
  for (size_t i = 0; i < std::size(kCases); ++i) EXPECT_EQ(have[i], want[i]) << kCases[i];
}

TEST_F(AmtoolTemplates, EscapesTheSame) {
  const auto theirs = render(all_of(kHtmlCases), "html");
  ASSERT_TRUE(theirs) << theirs.error().message;
  ASSERT_EQ(theirs->exit.code, 0) << theirs->err;
  const auto mine = expanded(all_of(kHtmlCases), TemplateEscape::kHtml);
  ASSERT_TRUE(mine) << mine.error().message;
  const std::vector<std::string> want = parts_of(theirs->out);
  const std::vector<std::string> have = parts_of(*mine);
  ASSERT_EQ(have.size(), want.size());
  for (size_t i = 0; i < std::size(kHtmlCases); ++i) EXPECT_EQ(have[i], want[i]) << kHtmlCases[i];
}

TEST_F(AmtoolTemplates, RefusesTheSame) {
  for (const std::string_view text : kWrong) {
    const auto theirs = render(text, "text");
    ASSERT_TRUE(theirs) << theirs.error().message;
    EXPECT_NE(theirs->exit.code, 0) << text << " gives " << theirs->out;
    EXPECT_FALSE(expanded(text)) << text;
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
