// What `binnacle rules test` found out, and how it is told: as text, as JSON, as JUnit XML. Plain
// values; any thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "watch/rules/unit_test_run.h"

namespace binnacle::app {

struct RuleTestResult {
  std::string name;
  int line = 0;
  double seconds = 0;
  std::vector<watch::rules::UnitTestFailure> failures;
};

struct RuleTestFile {
  std::string path;
  bool unreadable = false;            // the file itself
  std::string error;                  // of the file or its rules; then there are no tests
  std::vector<std::string> warnings;  // patterns of rule files that match nothing
  std::vector<RuleTestResult> tests;
  bool passed() const;
  size_t failed_tests() const;
};

struct RuleTestReport {
  int64_t started_ms = 0;  // Unix
  std::vector<RuleTestFile> files;
};

// Results on `out`, what is wrong on `err`, as promtool does.
void print_rule_tests(const RuleTestReport& report, std::ostream& out, std::ostream& err);
std::string rule_tests_json(const RuleTestReport& report);
std::string rule_tests_junit(const RuleTestReport& report);

}  // namespace binnacle::app
