// `binnacle rules check FILE...` and `binnacle rules test FILE...`: what promtool's `check rules`
// and `test rules` do. The functions do the work and return the exit code: 0 all is well, 1 a rule
// or a test is wrong, 2 a file cannot be read, 3 `--lint-fatal` and only the lint has complaints.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "watch/rules/group_evaluator.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

struct RulesCheck {
  std::vector<std::string> paths;
  bool json = false;
  bool lint = true;  // tell of rules that are there twice
  bool lint_fatal = false;
  bool experimental = false;  // PromQL's experimental functions
};

int run_rules_check(const RulesCheck& command, FileSystem& files, std::ostream& out,
                    std::ostream& err);

struct RulesTest {
  std::vector<std::string> paths;
  std::string run;    // a regular expression: only tests with such a name
  std::string junit;  // a file for the results as JUnit XML
  bool json = false;
};

// Only the loading of the file itself and of its rules is an error of the file; the rest is told
// test by test.
int run_rules_test(const RulesTest& command, FileSystem& files, const Clock& clock,
                   std::ostream& out, std::ostream& err);

void add_rules_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
