// limitk: the first k rows of each group that have a value at a step. limit_ratio: the rows whose
// labels' hash lies in the first (of a negative ratio: the last) part of all hashes, so that the
// same series are chosen at every step and by every server. Rows go by; none is held.
#include <xxhash.h>

#include <algorithm>

#include "query/promql/aggregate_groups.h"
#include "query/promql/aggregator.h"

namespace binnacle::query::promql {
namespace {

// Sizes as Prometheus keeps label sets in memory: the hash is taken over these bytes, and decides
// which series limit_ratio gives.
void append_sized(std::string& out, std::string_view text) {
  const size_t size = text.size();
  if (size < 255) {
    out.push_back(static_cast<char>(size));
  } else {
    out.push_back(static_cast<char>(255));
    for (int shift = 0; shift < 24; shift += 8) out.push_back(static_cast<char>(size >> shift));
  }
  out.append(text);
}

class LimitRows : public RowSource {
 public:
  LimitRows(RowSourcePtr rows, EvalContext& context)
      : rows_(std::move(rows)), meter_(context.meter), values_(context.steps.count()) {}

  Result<bool> next(Row& out) final {
    for (;;) {
      TRY_ASSIGN(const bool more, rows_->next(out));
      if (!more) return false;
      TRY(meter_.work(values_.size()));
      std::ranges::copy(out.values, values_.begin());
      TRY(choose(out, values_));
      if (first_present(values_) == kNoStep) continue;
      out.values = values_;
      return true;
    }
  }

 protected:
  // Makes absent in `values`, the row's, what is not chosen.
  virtual Status choose(const Row& row, std::span<double> values) = 0;

 private:
  RowSourcePtr rows_;
  QueryMeter& meter_;
  std::vector<double> values_;
};

class LimitK final : public LimitRows {
 public:
  LimitK(const Aggregation& expr, RowSourcePtr rows, std::vector<double> k, EvalContext& context)
      : LimitRows(std::move(rows), context),
        memory_(context.meter),
        k_(std::move(k)),
        groups_(expr.grouping, memory_) {}

 protected:
  Status choose(const Row& row, std::span<double> values) override {
    TRY_ASSIGN(const uint32_t group, groups_.of(row));
    if (group == left_.size()) {
      TRY(memory_.charge(sizeof(left_.front())));
      TRY_ASSIGN(const auto left, memory_.copy(k_));
      left_.push_back(left);
    }
    const std::span<double> left = left_[group];
    for (size_t i = 0; i < values.size(); ++i) {
      if (is_absent(values[i])) continue;
      if (left[i] >= 1) {
        left[i] -= 1;
      } else {
        values[i] = absent_value();
      }
    }
    return {};
  }

 private:
  HeldMemory memory_;
  const std::vector<double> k_;  // one for each step
  AggregateGroups groups_;
  std::vector<std::span<double>> left_;  // of each group, at each step
};

class LimitRatio final : public LimitRows {
 public:
  LimitRatio(RowSourcePtr rows, std::vector<double> ratios, EvalContext& context)
      : LimitRows(std::move(rows), context), ratios_(std::move(ratios)) {
    for (double& ratio : ratios_) ratio = std::clamp(ratio, -1.0, 1.0);
  }

 protected:
  Status choose(const Row& row, std::span<double> values) override {
    const double at = place_of(row.labels);
    for (size_t i = 0; i < values.size(); ++i) {
      const double ratio = ratios_[i];
      const bool chosen = ratio >= 0 ? at < ratio : at >= 1.0 + ratio;
      if (!chosen) values[i] = absent_value();
    }
    return {};
  }

 private:
  // Evenly spread over [0, 1].
  double place_of(model::LabelsView labels) {
    bytes_.clear();
    for (const model::Label& label : labels) {
      append_sized(bytes_, label.name);
      append_sized(bytes_, label.value);
    }
    constexpr double kHashes = 18446744073709551616.0;
    return static_cast<double>(XXH64(bytes_.data(), bytes_.size(), 0)) / kHashes;
  }

  std::vector<double> ratios_;  // one for each step, within [-1, 1]
  std::string bytes_;
};

}  // namespace

RowSourcePtr limit_rows(const Aggregation& expr, RowSourcePtr rows, std::vector<double> limits,
                        EvalContext& context) {
  if (expr.op == AggregateOp::kLimitk) {
    return std::make_unique<LimitK>(expr, std::move(rows), std::move(limits), context);
  }
  return std::make_unique<LimitRatio>(std::move(rows), std::move(limits), context);
}

}  // namespace binnacle::query::promql
