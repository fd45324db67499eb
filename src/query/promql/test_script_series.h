// One line of a test script that writes a series: `up{job="a"} 0+10x5 _ stale`. Pure; any thread.
// Source: Prometheus documentation, "Unit testing for rules" (the series notation).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/labels.h"

namespace binnacle::query::promql {

struct ScriptValue {
  // A histogram's content is checked and let go: values are floats yet.
  enum class Kind : uint8_t { kGap, kFloat, kHistogram };
  Kind kind = Kind::kGap;
  double value = 0;
};

struct ScriptSeries {
  model::Labels labels;
  std::vector<ScriptValue> values;  // value i lies i steps after the start
  bool has_histogram() const;
};

// At most `max_values` values: `1x999999999` is a line of twelve bytes.
Result<ScriptSeries> parse_script_series(std::string_view line, size_t max_values);

// Decimal, with sign and exponent, Inf and NaN in any case, 0x for whole numbers.
Result<double> parse_script_number(std::string_view text);

}  // namespace binnacle::query::promql
