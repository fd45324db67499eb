// quantile: keeps every row of a group, then looks for the two values at the rank of each step.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "query/promql/aggregate_groups.h"
#include "query/promql/aggregator.h"

namespace binnacle::query::promql {
namespace {

// Steps whose values are gathered in one walk over the rows: one cache line of each.
constexpr size_t kStepsAtOnce = 8;

bool below(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; }

// NaNs count as the smallest. `values` is reordered.
double quantile_of(double q, std::vector<double>& values) {
  if (std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -std::numeric_limits<double>::infinity();
  if (q > 1) return std::numeric_limits<double>::infinity();
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  const double weight = rank - std::floor(rank);
  const auto at = values.begin() + static_cast<ptrdiff_t>(lower);
  std::nth_element(values.begin(), at, values.end(), below);
  const double low = *at;
  const double high =
      lower + 1 < values.size() ? *std::min_element(at + 1, values.end(), below) : low;
  return low * (1 - weight) + high * weight;
}

class QuantileAggregator final : public Aggregator {
 public:
  QuantileAggregator(const Aggregation& expr, std::vector<double> quantiles, EvalContext& context)
      : memory_(context.meter),
        meter_(context.meter),
        quantiles_(std::move(quantiles)),
        groups_(expr.grouping, memory_) {}

  Status add(const Row& row) override {
    TRY_ASSIGN(const uint32_t at, groups_.of(row));
    if (at == rows_.size()) rows_.emplace_back();
    TRY(memory_.charge(sizeof(const double*) + kStepsAtOnce * sizeof(double)));  // of gathered_
    TRY_ASSIGN(const auto column, memory_.copy(row.values));
    rows_[at].push_back(column.data());
    return {};
  }

  Result<bool> next(Row& out) override {
    while (next_ < rows_.size() && groups_.empty(next_)) ++next_;
    if (next_ == rows_.size()) return false;
    TRY(meter_.check());
    TRY_ASSIGN(const auto column, memory_.column(quantiles_.size(), absent_value()));
    for (size_t first = 0; first < column.size(); first += kStepsAtOnce) {
      fill(rows_[next_], first, column);
      TRY(meter_.work(rows_[next_].size() * kStepsAtOnce));
    }
    out = {groups_.labels(next_), groups_.drop_name(next_), column};
    ++next_;
    return true;
  }

 private:
  void fill(const std::vector<const double*>& rows, size_t first, std::span<double> out) {
    const size_t last = std::min(first + kStepsAtOnce, out.size());
    for (auto& values : gathered_) values.clear();
    for (const double* row : rows) {
      for (size_t i = first; i < last; ++i) {
        if (!is_absent(row[i])) gathered_[i - first].push_back(row[i]);
      }
    }
    for (size_t i = first; i < last; ++i) {
      auto& values = gathered_[i - first];
      if (!values.empty()) out[i] = quantile_of(quantiles_[i], values);
    }
  }

  HeldMemory memory_;
  QueryMeter& meter_;
  const std::vector<double> quantiles_;
  AggregateGroups groups_;
  std::vector<std::vector<const double*>> rows_;  // of each group
  std::array<std::vector<double>, kStepsAtOnce> gathered_;
  uint32_t next_ = 0;
};

}  // namespace

AggregatorPtr make_quantile_aggregator(const Aggregation& expr, std::vector<double> quantiles,
                                       EvalContext& context) {
  return std::make_unique<QuantileAggregator>(expr, std::move(quantiles), context);
}

}  // namespace binnacle::query::promql
