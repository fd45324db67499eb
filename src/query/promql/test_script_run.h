// Runs test scripts over stores that its caller makes: one fresh store a script and a `clear`.
// Every instant query is run in more than one way, as the language asks for. One thread a run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/appender.h"
#include "model/querier.h"

namespace binnacle::query::promql {

// What a script fills and asks. Samples lie round the epoch; a store that minds the time is given a
// clock that stands there.
class ScriptStore {
 public:
  virtual ~ScriptStore() = default;
  virtual model::Appendable& appendable() = 0;
  virtual model::Queryable& queryable() = 0;
  // After every load: where a store under test cuts, merges or starts anew.
  virtual Status settle() { return {}; }
};
using ScriptStoreMaker = std::function<Result<std::unique_ptr<ScriptStore>>()>;

struct ScriptFailure {
  size_t line = 0;
  std::string expr;
  std::string problem;   // one line
  std::string expected;  // lines
  std::string got;       // lines
};

struct ScriptReport {
  std::string file;
  size_t passed = 0;
  size_t failed = 0;
  std::vector<size_t> skipped;   // lines of evals that need native histograms
  size_t histogram_samples = 0;  // left out of the store
  std::vector<ScriptFailure> failures;
};

// An error: the script is none (its message names file and line) or the store failed; evals that
// fail are in the report.
Result<ScriptReport> run_test_script(std::string_view file, std::string_view text,
                                     const ScriptStoreMaker& make_store);

}  // namespace binnacle::query::promql
