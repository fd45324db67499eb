// Runs the first test of a file of unit tests over a store in memory. Templates come as written.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/metrics/linear_store.h"
#include "watch/rules/unit_test_run.h"

namespace binnacle::watch::rules {

class MemoryStore final : public query::promql::ScriptStore {
 public:
  model::Appendable& appendable() override { return store_; }
  model::Queryable& queryable() override { return store_; }

 private:
  static store::metrics::StoreLimits no_limits() {
    store::metrics::StoreLimits limits;
    limits.late_limit_ms = limits.out_of_order_ms = limits.max_ahead_ms = int64_t{1} << 60;
    return limits;
  }
  const SimulatedClock clock_{0};
  store::metrics::LinearStore store_{clock_, no_limits()};
};

inline std::vector<UnitTestFailure> run_first_test(std::string_view yaml,
                                                   const std::vector<RuleGroup>& groups) {
  const auto file = read_unit_tests(yaml, "t.yml");
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return {};
  }
  const SimulatedClock clock{0};
  const query::promql::ScriptStoreMaker maker = [] { return std::make_unique<MemoryStore>(); };
  auto failures =
      run_unit_test(*file, file->tests.at(0), groups,
                    {maker, clock, [](const TemplateRun& run) { return std::string(run.text); }});
  EXPECT_TRUE(failures) << failures.error().message;
  return failures.value_or(std::vector<UnitTestFailure>());
}

// All of them, for a test's message.
inline std::string text_of(const std::vector<UnitTestFailure>& failures) {
  std::string out;
  for (const UnitTestFailure& failure : failures) {
    out += failure.what + " " + failure.problem + "\n";
    for (const std::string& line : failure.diff) out += "  " + line + "\n";
  }
  return out;
}

}  // namespace binnacle::watch::rules
