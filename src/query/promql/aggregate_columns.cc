// sum, avg, count, group, min, max, stddev and stdvar: a few columns for each group, into which a
// row goes in one pass over its steps. Sums: Neumaier, "Rundungsfehleranalyse einiger Verfahren zur
// Summation endlicher Summen" (1974). Variance: Welford, "Note on a method for calculating
// corrected sums of squares and products" (1962).
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/wide_vectors.h"
#include "query/promql/aggregate_groups.h"
#include "query/promql/aggregator.h"
#include "query/promql/column.h"
#include "query/promql/compensated_sum.h"

namespace binnacle::query::promql {

// An absent value goes in as -0, which changes no sum.
BINNACLE_WIDE_VECTORS
void add_column(std::span<const double> values, double* __restrict sum, double* __restrict rest) {
  for (size_t i = 0; i < values.size(); ++i) {
    add_compensated(is_absent(values[i]) ? -0.0 : values[i], sum[i], rest[i]);
  }
}

// Whether adding the values makes any sum infinite.
BINNACLE_WIDE_VECTORS
bool overflows(std::span<const double> values, const double* sum) {
  uint64_t any = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    any |= static_cast<uint64_t>(std::fabs(sum[i] + values[i]) ==
                                 std::numeric_limits<double>::infinity());
  }
  return any != 0;
}

BINNACLE_WIDE_VECTORS
void count_present(std::span<const double> values, double* __restrict counts) {
  for (size_t i = 0; i < values.size(); ++i) counts[i] += is_absent(values[i]) ? 0.0 : 1.0;
}

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How many rows have a value at each step. Rows that have one at every step, nearly all, are one
// number.
struct Counts {
  double full = 0;
  double* partial = nullptr;  // none yet: every row was full
  double at(size_t i) const { return partial == nullptr ? full : full + partial[i]; }
};

struct Group {
  Counts counts;
  double* a = nullptr;  // the operator's columns
  double* b = nullptr;
  uint8_t* incremental = nullptr;  // avg: steps whose sum would have overflowed
};

// The answer ends up in column a.
class ColumnAggregator : public Aggregator {
 public:
  ColumnAggregator(const Aggregation& expr, EvalContext& context)
      : memory_(context.meter), steps_(context.steps.count()), groups_(expr.grouping, memory_) {}

  Status add(const Row& row) final {
    CHECK(row.values.size() == steps_);
    TRY_ASSIGN(const uint32_t at, groups_.of(row));
    if (at == states_.size()) {
      TRY(memory_.charge(sizeof(Group)));
      TRY(start(states_.emplace_back()));
    }
    Group& group = states_[at];
    const bool full = !has_absent(row.values);
    TRY(count(group.counts, row.values, full));
    return add_values(group, row.values, full);
  }

  Result<bool> next(Row& out) final {
    while (next_ < states_.size() && groups_.empty(next_)) ++next_;
    if (next_ == states_.size()) return false;
    const Group& group = states_[next_];
    conclude(group);
    for (size_t i = 0; group.counts.full == 0 && i < steps_; ++i) {
      if (group.counts.at(i) == 0) group.a[i] = absent_value();
    }
    out = {groups_.labels(next_), groups_.drop_name(next_), {group.a, steps_}};
    ++next_;
    return true;
  }

 protected:
  // Makes the columns.
  virtual Status start(Group& group) = 0;
  // The row is in group.counts already. `full`: no value is absent.
  virtual Status add_values(Group& group, std::span<const double> values, bool full) = 0;
  virtual void conclude(const Group& group) = 0;

  Result<double*> column(double value) {
    TRY_ASSIGN(const std::span<double> out, memory_.column(steps_, value));
    return out.data();
  }

  HeldMemory memory_;
  const size_t steps_;

 private:
  Status count(Counts& counts, std::span<const double> values, bool full) {
    if (full) {
      counts.full += 1;
      return {};
    }
    if (counts.partial == nullptr) {
      TRY_ASSIGN(counts.partial, column(0));
    }
    count_present(values, counts.partial);
    return {};
  }

  AggregateGroups groups_;
  std::vector<Group> states_;
  uint32_t next_ = 0;
};

// The sum in a, its compensation in b. The sum starts as -0 so that one of nothing but -0 stays so.
class Sum : public ColumnAggregator {
 public:
  using ColumnAggregator::ColumnAggregator;

 protected:
  Status start(Group& group) override {
    TRY_ASSIGN(group.a, column(-0.0));
    TRY_ASSIGN(group.b, column(0));
    return {};
  }

  Status add_values(Group& group, std::span<const double> values, bool) override {
    add_column(values, group.a, group.b);
    return {};
  }

  void conclude(const Group& group) override {
    for (size_t i = 0; i < steps_; ++i) group.a[i] += group.b[i];
  }
};

// A plain sum as long as it does not overflow; from the row on that would make it, that step's
// column holds the mean.
class Avg final : public Sum {
 public:
  using Sum::Sum;

 protected:
  Status add_values(Group& group, std::span<const double> values, bool full) override {
    if (group.incremental == nullptr) {
      if (!overflows(values, group.a)) return Sum::add_values(group, values, full);
      TRY_ASSIGN(const auto flags, memory_.flags(steps_));
      group.incremental = flags.data();
    }
    for (size_t i = 0; i < steps_; ++i) {
      if (!is_absent(values[i])) add_carefully(group, i, values[i]);
    }
    return {};
  }

  void conclude(const Group& group) override {
    for (size_t i = 0; i < steps_; ++i) {
      if (group.incremental != nullptr && group.incremental[i] != 0) {
        group.a[i] += group.b[i];
      } else {
        const double count = group.counts.at(i);
        group.a[i] = group.a[i] / count + group.b[i] / count;
      }
    }
  }

 private:
  static void add_carefully(Group& group, size_t i, double value) {
    const double count = group.counts.at(i);
    double& sum = group.a[i];
    double& rest = group.b[i];
    if (count == 1) {  // may be infinite by itself: that is no overflow
      sum = value;
      return;
    }
    if (group.incremental[i] == 0) {
      if (std::fabs(sum + value) != kInfinity) {
        add_compensated(value, sum, rest);
        return;
      }
      group.incremental[i] = 1;
      sum /= count - 1;
      rest /= count - 1;
    }
    const double share = (count - 1) / count;
    sum *= share;
    rest *= share;
    add_compensated(value / count, sum, rest);
  }
};

class Count final : public ColumnAggregator {
 public:
  Count(const Aggregation& expr, EvalContext& context)
      : ColumnAggregator(expr, context), ones_(expr.op == AggregateOp::kGroup) {}

 protected:
  Status start(Group& group) override {
    TRY_ASSIGN(group.a, column(1));
    return {};
  }
  Status add_values(Group&, std::span<const double>, bool) override { return {}; }
  void conclude(const Group& group) override {
    for (size_t i = 0; !ones_ && i < steps_; ++i) group.a[i] = group.counts.at(i);
  }

 private:
  const bool ones_;  // group()
};

// A NaN gives way to any number, and to another NaN.
template <bool kMax>
class Extreme final : public ColumnAggregator {
 public:
  using ColumnAggregator::ColumnAggregator;

 protected:
  Status start(Group& group) override {
    TRY_ASSIGN(group.a, column(std::numeric_limits<double>::quiet_NaN()));
    return {};
  }

  Status add_values(Group& group, std::span<const double> values, bool) override {
    double* __restrict best = group.a;
    for (size_t i = 0; i < steps_; ++i) {
      const double value = values[i];
      const bool better = kMax ? !(best[i] >= value) : !(best[i] <= value);
      // An absent value, as a NaN, is "better" in that sense; a NaN is so only against a NaN.
      const bool takes = better && !is_absent(value) && (value == value || best[i] != best[i]);
      best[i] = takes ? value : best[i];
    }
    return {};
  }
  void conclude(const Group&) override {}
};

// The mean in b, the squared differences in a.
class Deviation final : public ColumnAggregator {
 public:
  Deviation(const Aggregation& expr, EvalContext& context)
      : ColumnAggregator(expr, context), root_(expr.op == AggregateOp::kStddev) {}

 protected:
  Status start(Group& group) override {
    TRY_ASSIGN(group.a, column(0));
    TRY_ASSIGN(group.b, column(0));
    return {};
  }

  Status add_values(Group& group, std::span<const double> values, bool full) override {
    double* __restrict squares = group.a;
    double* __restrict mean = group.b;
    if (full && group.counts.partial == nullptr) {
      const double count = group.counts.full;
      for (size_t i = 0; i < steps_; ++i) add_one(values[i], count, squares[i], mean[i]);
      return {};
    }
    for (size_t i = 0; i < steps_; ++i) {
      if (is_absent(values[i])) continue;
      add_one(values[i], group.counts.at(i), squares[i], mean[i]);
    }
    return {};
  }

  void conclude(const Group& group) override {
    for (size_t i = 0; i < steps_; ++i) {
      const double variance = group.a[i] / group.counts.at(i);
      group.a[i] = root_ ? std::sqrt(variance) : variance;
    }
  }

 private:
  static void add_one(double value, double count, double& squares, double& mean) {
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }

  const bool root_;
};

}  // namespace

AggregatorPtr make_column_aggregator(const Aggregation& expr, EvalContext& context) {
  switch (expr.op) {
    case AggregateOp::kSum:
      return std::make_unique<Sum>(expr, context);
    case AggregateOp::kAvg:
      return std::make_unique<Avg>(expr, context);
    case AggregateOp::kCount:
    case AggregateOp::kGroup:
      return std::make_unique<Count>(expr, context);
    case AggregateOp::kMin:
      return std::make_unique<Extreme<false>>(expr, context);
    case AggregateOp::kMax:
      return std::make_unique<Extreme<true>>(expr, context);
    case AggregateOp::kStddev:
    case AggregateOp::kStdvar:
      return std::make_unique<Deviation>(expr, context);
    default:
      CHECK(false);
      return nullptr;
  }
}

}  // namespace binnacle::query::promql
