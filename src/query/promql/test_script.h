// The .test language: series to load, queries to run on them and what they must answer, one command
// a block of lines. This is the language as data; test_script_run.h runs it. Pure; any thread.
// Source: Prometheus' promqltest package, whose scripts run unchanged.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "query/promql/steps.h"
#include "query/promql/test_script_series.h"

namespace re2 {
class RE2;
}

namespace binnacle::query::promql {

struct ClearCommand {};

struct LoadCommand {
  int64_t step_ms = 0;
  bool with_custom_buckets = false;  // load_with_nhcb: classic histograms become native ones too
  std::vector<ScriptSeries> series;  // no label set twice
};

// What a message must be.
struct TextPattern {
  bool matches(std::string_view text) const;
  std::string to_string() const;

  std::optional<std::string> text;        // exactly
  std::shared_ptr<const re2::RE2> regex;  // somewhere in it; shared: commands are copied freely
};

struct ExpectedAnnotations {
  bool some = false;                  // at least one, of the older eval_warn and eval_info
  bool none = false;                  // expect no_warn
  std::vector<TextPattern> patterns;  // each must fit one, and each that comes one of them
};

struct EvalCommand {
  std::string expr;
  bool instant = true;
  Steps steps;  // of an instant eval one step, at which it is evaluated

  bool must_fail = false;
  std::vector<TextPattern> failure;  // what the error must be; empty: any
  ExpectedAnnotations warnings;
  ExpectedAnnotations infos;
  bool ordered = false;

  std::optional<std::string> string;
  std::optional<double> scalar;
  std::optional<Steps> range_vector;  // of an instant eval whose answer is one
  std::vector<ScriptSeries> series;   // in the order written, no label set twice
};

struct ScriptCommand {
  size_t line = 0;  // counted from 1
  std::variant<ClearCommand, LoadCommand, EvalCommand> what;
};

// kInvalidArgument begins with `FILE:LINE: `.
Result<std::vector<ScriptCommand>> parse_test_script(std::string_view file, std::string_view text);

}  // namespace binnacle::query::promql
