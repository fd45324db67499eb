// count_values: a row for each value that a group has at any step. The value is a label of the
// answer, written with as many digits as it needs and no exponent.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "query/promql/aggregate_groups.h"
#include "query/promql/aggregator.h"
#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

bool is_among(const std::string& name, const std::vector<std::string>& names) {
  return std::ranges::find(names, name) != names.end();
}

// The value's label takes the place of one of that name in the input.
Grouping without_value_label(Grouping grouping, const std::string& label) {
  if (grouping.without) {
    grouping.labels.push_back(label);
  } else {
    std::erase(grouping.labels, label);
  }
  return grouping;
}

class CountValues final : public Aggregator {
 public:
  CountValues(const Aggregation& expr, std::string label, EvalContext& context)
      : memory_(context.meter),
        meter_(context.meter),
        label_(std::move(label)),
        shows_value_(!expr.grouping.without ||
                     (label_ != model::kMetricName && !is_among(label_, expr.grouping.labels))),
        groups_(without_value_label(expr.grouping, label_), memory_),
        keys_(memory_) {}

  Status add(const Row& row) override {
    TRY_ASSIGN(const uint32_t group, groups_.of(row));
    uint64_t last_bits = kAbsentBits;  // values stay the same for a while
    std::span<double> counts;
    for (size_t i = 0; i < row.values.size(); ++i) {
      const double value = row.values[i];
      if (is_absent(value)) continue;
      if (const auto bits = std::bit_cast<uint64_t>(value); bits != last_bits) {
        TRY_ASSIGN(counts, counts_of(group, value, row.values.size()));
        last_bits = bits;
      }
      counts[i] = is_absent(counts[i]) ? 1 : counts[i] + 1;
    }
    return {};
  }

  Result<bool> next(Row& out) override {
    if (next_ == rows_.size()) return false;
    if (next_ % 1024 == 0) TRY(meter_.check());
    out = {rows_[next_].labels, false, rows_[next_].counts};
    ++next_;
    return true;
  }

 private:
  struct Counted {
    model::LabelsView labels;
    std::span<double> counts;
  };

  Result<std::span<double>> counts_of(uint32_t group, double value, size_t steps) {
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
    if (!shows_value_) value = 0;
    std::array<char, sizeof group + sizeof value> key;
    std::memcpy(key.data(), &group, sizeof group);
    std::memcpy(key.data() + sizeof group, &value, sizeof value);
    TRY_ASSIGN(const auto place, keys_.find_or_add({key.data(), key.size()}));
    if (place.added) {
      TRY(memory_.charge(sizeof(Counted)));
      Counted& counted = rows_.emplace_back();
      TRY_ASSIGN(counted.counts, memory_.column(steps, absent_value()));
      TRY_ASSIGN(counted.labels, labels_of(group, value));
    }
    return rows_[place.ordinal].counts;
  }

  Result<model::LabelsView> labels_of(uint32_t group, double value) {
    if (!shows_value_) return groups_.labels(group);
    model::LabelsBuilder builder(groups_.labels(group));
    builder.set(label_, plain_number_text(value));
    TRY_ASSIGN(const auto text, memory_.text(builder.build().packed()));
    return model::LabelsView(text);
  }

  HeldMemory memory_;
  QueryMeter& meter_;
  const std::string label_;
  const bool shows_value_;  // else its label is among those that go
  AggregateGroups groups_;
  SignatureIndex keys_;  // group and value
  std::vector<Counted> rows_;
  size_t next_ = 0;
};

}  // namespace

AggregatorPtr make_count_values_aggregator(const Aggregation& expr, std::string label,
                                           EvalContext& context) {
  return std::make_unique<CountValues>(expr, std::move(label), context);
}

}  // namespace binnacle::query::promql
