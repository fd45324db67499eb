// A file of unit tests of rules, as promtool reads them: series that come in, and which alerts fire
// and what expressions give at given times. This is the file as data; unit_test_run.h runs it.
// Pure; any thread. Source: Prometheus documentation, "Unit testing for rules".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "query/promql/test_script_series.h"
#include "watch/rules/rule_file.h"

namespace binnacle::watch::rules {

struct AlertText {
  TextPairs labels;  // alertname among them
  TextPairs annotations;
  friend auto operator<=>(const AlertText&, const AlertText&) = default;
};

// Times are milliseconds after the test's start.
struct AlertExpectation {
  int line = 0;
  int64_t eval_ms = 0;
  std::string alert;
  std::vector<AlertText> alerts;  // that fire
};

struct SampleExpectation {
  model::Labels labels;
  double value = 0;
};

struct ExprExpectation {
  int line = 0;
  int64_t eval_ms = 0;
  std::string expr;
  std::vector<SampleExpectation> samples;
};

struct UnitTest {
  int line = 0;
  std::string name;  // "unnamed#2" where the file has none
  int64_t interval_ms = 0;
  std::vector<query::promql::ScriptSeries> series;  // no label set twice
  std::vector<AlertExpectation> alerts;
  std::vector<ExprExpectation> exprs;
  model::Labels external_labels;
  std::string external_url;
  int64_t start_ms = 0;  // Unix
};

struct UnitTestFile {
  std::string file;
  std::vector<std::string> rule_files;  // globs, from where the file's own paths count
  int64_t evaluation_interval_ms = 60'000;
  std::vector<std::string> group_eval_order;  // groups that are not named come with the first
  bool fuzzy_compare = false;                 // neighbouring numbers are equal
  std::vector<UnitTest> tests;
};

// All problems of a file at once, each with its line.
Result<UnitTestFile> read_unit_tests(std::string_view yaml, const std::string& file);

}  // namespace binnacle::watch::rules
