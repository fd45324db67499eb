#include "app/rules_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/clock.h"
#include "base/utf8.h"
#include "base/xml_text.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using watch::rules::UnitTestFailure;

std::string failure_text(const UnitTestFailure& failure, std::string_view indent) {
  std::string out = fmt::format("{}line {}: {}", indent, failure.line, failure.what);
  out += failure.problem.empty() ? ": - expected, + got\n"
                                 : fmt::format("\n{}  {}\n", indent, failure.problem);
  for (const std::string& line : failure.diff) out += fmt::format("{}  {}\n", indent, line);
  return out;
}

std::string junit_suite(const RuleTestFile& file, const std::string& started) {
  std::string out =
      fmt::format(R"(  <testsuite name="{}" tests="{}" failures="{}" errors="{}" timestamp="{}">)"
                  "\n",
                  xml_escape(file.path), file.tests.size(), file.failed_tests(),
                  file.error.empty() ? 0 : 1, started);
  if (!file.error.empty()) {
    out += fmt::format("    <testcase name=\"load\"><error message=\"{}\"></error></testcase>\n",
                       xml_escape(file.error));
  }
  for (const RuleTestResult& test : file.tests) {
    out += fmt::format("    <testcase name=\"{}\" time=\"{:.3f}\">", xml_escape(test.name),
                       test.seconds);
    for (const UnitTestFailure& failure : test.failures) {
      out += fmt::format("<failure message=\"{}\">{}</failure>", xml_escape(failure.what),
                         xml_escape(failure_text(failure, "")));
    }
    out += "</testcase>\n";
  }
  return out + "  </testsuite>\n";
}

json failure_json(const UnitTestFailure& failure) {
  json out = {{"line", failure.line}, {"what", failure.what}};
  if (!failure.problem.empty()) out["problem"] = failure.problem;
  if (!failure.diff.empty()) out["diff"] = failure.diff;
  return out;
}

}  // namespace

bool RuleTestFile::passed() const { return error.empty() && failed_tests() == 0; }

size_t RuleTestFile::failed_tests() const {
  return static_cast<size_t>(std::ranges::count_if(
      tests, [](const RuleTestResult& test) { return !test.failures.empty(); }));
}

void print_rule_tests(const RuleTestReport& report, std::ostream& out, std::ostream& err) {
  for (const RuleTestFile& file : report.files) {
    out << "Testing " << file.path << '\n';
    for (const std::string& warning : file.warnings) err << "  WARNING: " << warning << '\n';
    if (file.passed()) {
      out << fmt::format("  SUCCESS: {} tests\n\n", file.tests.size());
      continue;
    }
    out << fmt::format("  FAILED: {} of {} tests\n", file.failed_tests(), file.tests.size());
    if (!file.error.empty()) err << "    " << file.error << '\n';
    for (const RuleTestResult& test : file.tests) {
      if (test.failures.empty()) continue;
      err << fmt::format("  {} (line {})\n", test.name, test.line);
      for (const UnitTestFailure& failure : test.failures) err << failure_text(failure, "    ");
    }
    out << '\n';
  }
}

std::string rule_tests_json(const RuleTestReport& report) {
  json files = json::array();
  for (const RuleTestFile& file : report.files) {
    json tests = json::array();
    for (const RuleTestResult& test : file.tests) {
      json failures = json::array();
      for (const UnitTestFailure& failure : test.failures)
        failures.push_back(failure_json(failure));
      tests.push_back({{"name", test.name},
                       {"line", test.line},
                       {"passed", test.failures.empty()},
                       {"seconds", test.seconds},
                       {"failures", std::move(failures)}});
    }
    json entry = {{"file", file.path}, {"passed", file.passed()}, {"tests", std::move(tests)}};
    if (!file.error.empty()) entry["error"] = file.error;
    if (!file.warnings.empty()) entry["warnings"] = file.warnings;
    files.push_back(std::move(entry));
  }
  const bool passed = std::ranges::all_of(report.files, &RuleTestFile::passed);
  // Files are bytes; JSON is UTF-8.
  return json{{"passed", passed}, {"files", std::move(files)}}.dump(
             2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

std::string rule_tests_junit(const RuleTestReport& report) {
  const std::string started = format_rfc3339(report.started_ms);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const RuleTestFile& file : report.files) out += junit_suite(file, started);
  return out + "</testsuites>\n";
}

}  // namespace binnacle::app
