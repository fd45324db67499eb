// For tests of operators: rows by hand or by chance, and answers as text.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/float_text.h"
#include "base/random.h"
#include "query/promql/query_meter.h"
#include "query/promql/rows.h"

namespace binnacle::query::promql::testing {

// What an operator is given, for that many steps.
class Evaluation {
 public:
  explicit Evaluation(size_t steps, const QueryLimits& limits = {})
      : meter_(limits, clock_, nullptr),
        annotations_("query"),
        context_{{0, static_cast<int64_t>(steps - 1) * 1000, steps == 1 ? 0 : 1000},
                 meter_,
                 annotations_} {}
  EvalContext& context() { return context_; }
  QueryMeter& meter() { return meter_; }
  const Annotations& annotations() const { return annotations_; }
  size_t steps() const { return context_.steps.count(); }

 private:
  SimulatedClock clock_;
  QueryMeter meter_;
  Annotations annotations_;
  EvalContext context_;
};

inline OwnedRow row(std::initializer_list<std::pair<std::string_view, std::string_view>> labels,
                    std::vector<double> values) {
  return {model::Labels(labels), false, std::move(values)};
}

inline Result<std::vector<OwnedRow>> all_rows(RowSource& source) {
  std::vector<OwnedRow> out;
  Row row;
  for (;;) {
    TRY_ASSIGN(const bool more, source.next(row));
    if (!more) return out;
    out.push_back({model::Labels(row.labels), row.drop_name,
                   std::vector<double>(row.values.begin(), row.values.end())});
  }
}

// `m{a="1"} 1 _ NaN`, a line for each row; (drop) behind labels whose name is to go.
inline std::string shown(const std::vector<OwnedRow>& rows) {
  std::string out;
  for (const OwnedRow& row : rows) {
    out += row.labels.to_string() + (row.drop_name ? "(drop)" : "");
    for (const double value : row.values) {
      out.push_back(' ');
      if (is_absent(value)) {
        out.push_back('_');
      } else {
        append_float_text(out, value);
      }
    }
    out.push_back('\n');
  }
  return out;
}

inline model::Labels only(model::LabelsView labels, const std::vector<std::string>& names) {
  model::LabelsBuilder builder;
  for (const auto& name : names) builder.set(name, labels.get(name));
  return builder.build();
}

// Rows of few values and few label values, so that they meet; some absent, NaN and infinite.
inline std::vector<OwnedRow> random_rows(Random& random, size_t count, size_t steps) {
  std::vector<OwnedRow> out;
  for (size_t r = 0; r < count; ++r) {
    model::LabelsBuilder labels;
    labels.set("__name__", random.below(2) == 0 ? "m" : "n");
    labels.set("id", std::to_string(r));
    if (random.below(4) != 0) labels.set("g", std::to_string(random.below(3)));
    if (random.below(2) != 0) labels.set("h", std::to_string(random.below(2)));
    std::vector<double> values(steps);
    const bool full = random.below(2) == 0;
    const bool finite = random.below(2) == 0;
    for (double& value : values) {
      value = static_cast<double>(random.below(9)) - 4;
      if (!full && random.below(3) == 0) value = absent_value();
      if (finite) continue;
      const uint64_t chance = random.below(20);
      if (chance == 0) value = std::numeric_limits<double>::quiet_NaN();
      if (chance == 1) value = std::numeric_limits<double>::infinity();
    }
    out.push_back({labels.build(), false, std::move(values)});
  }
  return out;
}

}  // namespace binnacle::query::promql::testing
