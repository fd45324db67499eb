#include "query/promql/sort_functions.h"

#include <algorithm>
#include <cmath>

#include "query/promql/function_table.h"
#include "query/promql/held_rows.h"

namespace binnacle::query::promql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits, or all but digits, that `text` begins with; `text` moves behind them.
std::string_view take_run(std::string_view& text) {
  const bool digits = is_digit(text.front());
  size_t end = 1;
  while (end < text.size() && is_digit(text[end]) == digits) ++end;
  const std::string_view run = text.substr(0, end);
  text.remove_prefix(end);
  return run;
}

int compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

using Less = bool (*)(const OwnedRow& a, const OwnedRow& b);

// NaN goes last in both directions.
bool by_value(const OwnedRow& a, const OwnedRow& b) {
  return std::isnan(b.values[0]) ? !std::isnan(a.values[0]) : a.values[0] < b.values[0];
}
bool by_value_descending(const OwnedRow& a, const OwnedRow& b) {
  return std::isnan(b.values[0]) ? !std::isnan(a.values[0]) : a.values[0] > b.values[0];
}

// Equal in all labels that were named: by the whole set, so that the order is always the same.
int compare_by_labels(const std::vector<std::string>& names, model::LabelsView a,
                      model::LabelsView b) {
  for (const std::string& name : names) {
    if (const int order = compare_naturally(a.get(name), b.get(name)); order != 0) return order;
  }
  return model::compare(a, b);
}

class SortedRows : public MadeRows {
 public:
  SortedRows(RowSourcePtr rows, EvalContext& context)
      : rows_(std::move(rows)), held_(context.meter) {}

 protected:
  virtual void sort(std::vector<OwnedRow>& rows) = 0;

 private:
  Result<std::vector<OwnedRow>> make() final {
    TRY_ASSIGN(std::vector<OwnedRow> rows, hold_rows(*rows_, held_));
    std::erase_if(rows, [](const OwnedRow& row) { return is_absent(row.values[0]); });
    sort(rows);
    return rows;
  }

  RowSourcePtr rows_;
  HeldBytes held_;
};

class ByValue final : public SortedRows {
 public:
  ByValue(RowSourcePtr rows, bool descending, EvalContext& context)
      : SortedRows(std::move(rows), context), descending_(descending) {}

 private:
  void sort(std::vector<OwnedRow>& rows) override {
    const Less less = descending_ ? by_value_descending : by_value;
    std::ranges::stable_sort(rows, less);
  }
  const bool descending_;
};

class ByLabel final : public SortedRows {
 public:
  ByLabel(RowSourcePtr rows, std::vector<std::string> names, bool descending, EvalContext& context)
      : SortedRows(std::move(rows), context), names_(std::move(names)), descending_(descending) {}

 private:
  void sort(std::vector<OwnedRow>& rows) override {
    std::ranges::stable_sort(rows, [&](const OwnedRow& a, const OwnedRow& b) {
      const int order = compare_by_labels(names_, a.labels, b.labels);
      return descending_ ? order > 0 : order < 0;
    });
  }
  const std::vector<std::string> names_;
  const bool descending_;
};

}  // namespace

int compare_naturally(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a;
  const std::string_view whole_b = b;
  while (!a.empty() && !b.empty()) {
    const std::string_view run_a = take_run(a);
    const std::string_view run_b = take_run(b);
    const bool numbers = is_digit(run_a[0]) && is_digit(run_b[0]);
    const int order = numbers ? compare_numbers(run_a, run_b) : run_a.compare(run_b);
    if (order != 0) return order;
  }
  if (a.empty() != b.empty()) return a.empty() ? -1 : 1;
  return whole_a.compare(whole_b);  // 01 and 1
}

Result<RowSourcePtr> sort_on_rows(const Call& call, std::vector<Argument>& args,
                                  EvalContext& context) {
  const std::string_view name = call.function->name;
  if (!name.starts_with("sort")) return nullptr;
  if (context.steps.start_ms != context.steps.end_ms) {
    context.annotations.warn(
        "sort is ineffective for range queries since results are always ordered by labels",
        call.position);
  }
  if (context.steps.count() > 1) return std::move(args[0].rows);
  const bool descending = name.ends_with("_desc");
  if (!name.starts_with("sort_by_label")) {
    return std::make_unique<ByValue>(std::move(args[0].rows), descending, context);
  }
  std::vector<std::string> names;
  for (size_t i = 1; i < args.size(); ++i) names.push_back(std::move(args[i].text));
  return std::make_unique<ByLabel>(std::move(args[0].rows), std::move(names), descending, context);
}

}  // namespace binnacle::query::promql
