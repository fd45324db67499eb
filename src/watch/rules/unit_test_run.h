// Runs a unit test of rules: loads its series step by step into a store of its own, evaluates the
// groups on the way by the same evaluator that the server has, and compares. One thread a run.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "query/promql/test_script_run.h"
#include "watch/rules/group_evaluator.h"
#include "watch/rules/unit_tests.h"

namespace binnacle::watch::rules {

struct UnitTestFailure {
  int line = 0;                   // of the expectation; 0: of none
  std::string what;               // "alert NodeDown at 5m", "expr up at 5m", "rule NodeDown at 5m"
  std::string problem;            // where there is nothing to compare
  std::vector<std::string> diff;  // "- what was expected", "+ what came", "  what is common"
};

struct UnitTestTools {
  const query::promql::ScriptStoreMaker& make_store;
  const Clock& clock;  // bounds queries; the test's own time is in the file
  ExpandTemplate expand;
};

// An error: the store failed. What the rules or the expectations got wrong is in the answer.
Result<std::vector<UnitTestFailure>> run_unit_test(const UnitTestFile& file, const UnitTest& test,
                                                   const std::vector<RuleGroup>& groups,
                                                   const UnitTestTools& tools);

}  // namespace binnacle::watch::rules
