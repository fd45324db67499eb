#include "query/promql/histogram_functions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

#include "query/promql/bucket_quantile.h"
#include "query/promql/classic_histogram.h"
#include "query/promql/function_table.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

const Expr& argument_of(const Call& call, size_t i) { return without_parens(*call.args[i]); }

// Told of every step, also where there are no rows.
void warn_of_quantiles(std::span<const double> quantiles, const Expr& argument,
                       EvalContext& context) {
  const double* before = nullptr;
  for (const double& q : quantiles) {
    if (q >= 0 && q <= 1) continue;
    const bool again =
        before != nullptr && std::bit_cast<uint64_t>(*before) == std::bit_cast<uint64_t>(q);
    before = &q;
    if (again) continue;
    context.annotations.warn(odd_quantile_text(q), argument.position);
  }
}

// Where counts had to be forced to rise: one annotation for a metric name.
class ForcedCounts {
 public:
  void add(std::string_view metric_name, int64_t time_ms, const MonotonicFix& fix) {
    Forced& forced = of(metric_name);
    forced.from_ms = std::min(forced.from_ms, time_ms);
    forced.to_ms = std::max(forced.to_ms, time_ms);
    forced.min_bound = std::min(forced.min_bound, fix.min_bound);
    forced.max_bound = std::max(forced.max_bound, fix.max_bound);
    forced.max_diff = std::max(forced.max_diff, fix.max_diff);
    ++forced.samples;
  }

  void tell(const Expr& argument, EvalContext& context) {
    for (const Forced& forced : by_name_) {
      context.annotations.info(
          fmt::format("input to histogram_quantile needed to be fixed for monotonicity (see "
                      "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                      "#histogram_quantile){}, from buckets {} to {}, with a max diff of {:.2g}, "
                      "over {} samples from {} to {}",
                      for_metric_name(forced.metric_name), number_text(forced.min_bound),
                      number_text(forced.max_bound), forced.max_diff, forced.samples,
                      time_text(forced.from_ms), time_text(forced.to_ms)),
          argument.position);
    }
    by_name_.clear();
    places_.clear();
  }

 private:
  struct Forced {
    std::string metric_name;
    int64_t from_ms = std::numeric_limits<int64_t>::max();
    int64_t to_ms = std::numeric_limits<int64_t>::min();
    double min_bound = std::numeric_limits<double>::infinity();
    double max_bound = -std::numeric_limits<double>::infinity();
    double max_diff = 0;
    size_t samples = 0;
  };

  // The same name mostly comes again and again.
  Forced& of(std::string_view metric_name) {
    if (!by_name_.empty() && by_name_.back().metric_name == metric_name) return by_name_.back();
    const auto [at, is_new] = places_.try_emplace(std::string(metric_name), by_name_.size());
    if (is_new) by_name_.emplace_back().metric_name = metric_name;
    return by_name_[at->second];
  }

  std::vector<Forced> by_name_;  // by first appearance
  std::unordered_map<std::string, size_t> places_;
};

// Histogram after histogram, one row each.
class HistogramRows : public RowSource {
 public:
  HistogramRows(RowSourcePtr rows, const Expr& argument, EvalContext& context)
      : context_(context),
        argument_(argument),
        held_(context.meter),
        rows_(std::move(rows)),
        values_(context.steps.count()) {}

  Result<bool> next(Row& out) final {
    if (rows_ != nullptr) {
      TRY_ASSIGN(histograms_, read_histograms(*rows_, argument_, held_, context_));
      rows_.reset();
    }
    if (at_ == histograms_.all.size()) {
      finish();
      return false;
    }
    const ClassicHistogram& histogram = histograms_.all[at_++];
    buckets_.start(histogram);
    for (size_t i = 0; i < values_.size(); ++i) {
      TRY(context_.meter.work(histogram.buckets.size() + 1));
      values_[i] = buckets_.load(i) ? value_at(i, histogram) : absent_value();
    }
    out = {histogram.labels, true, values_};
    return true;
  }

 protected:
  virtual double value_at(size_t step, const ClassicHistogram& histogram) = 0;
  virtual void finish() {}

  EvalContext& context_;
  const Expr& argument_;
  HeldBytes held_;
  RowSourcePtr rows_;  // null: read
  ClassicHistograms histograms_;
  BucketsAtStep buckets_;
  std::vector<double> values_;
  size_t at_ = 0;
};

bool can_be_found(double q) { return q >= 0 && q <= 1; }

class QuantileRows final : public HistogramRows {
 public:
  QuantileRows(std::vector<double> quantiles, RowSourcePtr rows, const Expr& argument,
               EvalContext& context)
      : HistogramRows(std::move(rows), argument, context), quantiles_(std::move(quantiles)) {}

 private:
  double value_at(size_t step, const ClassicHistogram& histogram) override {
    const double q = quantiles_[step];
    const std::span<const double> bounds = buckets_.bounds();
    if (can_be_found(q) && std::isinf(bounds.back())) {
      const MonotonicFix fix = make_monotonic(bounds, buckets_.counts());
      if (fix.forced) {
        forced_.add(histogram.labels.metric_name(), context_.steps.at(step), fix);
      }
    }
    return bucket_quantile(q, bounds, buckets_.counts());
  }
  void finish() override { forced_.tell(argument_, context_); }

  const std::vector<double> quantiles_;
  ForcedCounts forced_;
};

class FractionRows final : public HistogramRows {
 public:
  FractionRows(std::vector<double> lower, std::vector<double> upper, RowSourcePtr rows,
               const Expr& argument, EvalContext& context)
      : HistogramRows(std::move(rows), argument, context),
        lower_(std::move(lower)),
        upper_(std::move(upper)) {}

 private:
  double value_at(size_t step, const ClassicHistogram&) override {
    return bucket_fraction(lower_[step], upper_[step], buckets_.bounds(), buckets_.counts());
  }

  const std::vector<double> lower_;
  const std::vector<double> upper_;
};

// A label's value for a quantile, as OpenMetrics writes floats: always with a point or an exponent.
std::string quantile_text(double q) {
  std::string text = number_text(q);
  if (std::isfinite(q) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text == "-0.0" ? "0.0" : text;
}

// A row for each histogram and quantile. A quantile that differs from step to step gives several.
class ManyQuantiles final : public MadeRows {
 public:
  ManyQuantiles(std::vector<std::vector<double>> quantiles, std::string label, RowSourcePtr rows,
                const Expr& argument, EvalContext& context)
      : context_(context),
        argument_(argument),
        held_(context.meter),
        rows_(std::move(rows)),
        label_(std::move(label)),
        quantiles_(std::move(quantiles)) {}

 private:
  Result<std::vector<OwnedRow>> make() override {
    TRY_ASSIGN(const auto histograms, read_histograms(*rows_, argument_, held_, context_));
    rows_.reset();
    const size_t steps = context_.steps.count();
    TRY(context_.meter.charge_columns(quantiles_.size(), steps));
    std::vector<std::vector<double>> columns(quantiles_.size(), std::vector<double>(steps));
    BucketsAtStep buckets;
    RowsByLabels out;
    for (const ClassicHistogram& histogram : histograms.all) {
      buckets.start(histogram);
      for (size_t i = 0; i < steps; ++i) {
        TRY(context_.meter.work((histogram.buckets.size() + 1) * (columns.size() + 1)));
        find_quantiles(i, histogram, buckets, columns);
      }
      for (size_t k = 0; k < columns.size(); ++k) {
        TRY(add_rows(histogram.labels, quantiles_[k], columns[k], out));
      }
    }
    forced_.tell(argument_, context_);
    return out.take();
  }

  void find_quantiles(size_t step, const ClassicHistogram& histogram, BucketsAtStep& buckets,
                      std::vector<std::vector<double>>& columns) {
    if (!buckets.load(step)) {
      for (std::vector<double>& column : columns) column[step] = absent_value();
      return;
    }
    const bool fixable =
        std::isinf(buckets.bounds().back()) &&
        std::ranges::any_of(quantiles_, [&](const auto& q) { return can_be_found(q[step]); });
    if (fixable) {
      const MonotonicFix fix = make_monotonic(buckets.bounds(), buckets.counts());
      if (fix.forced) {
        forced_.add(histogram.labels.metric_name(), context_.steps.at(step), fix);
      }
    }
    for (size_t k = 0; k < columns.size(); ++k) {
      columns[k][step] = bucket_quantile(quantiles_[k][step], buckets.bounds(), buckets.counts());
    }
  }

  // A row for each run of steps with the same quantile; rows of one quantile become one again.
  Status add_rows(model::LabelsView labels, const std::vector<double>& quantiles,
                  const std::vector<double>& column, RowsByLabels& out) {
    size_t start = 0;
    while (start < column.size()) {
      const auto bits = std::bit_cast<uint64_t>(quantiles[start]);
      size_t end = start + 1;
      while (end < column.size() && std::bit_cast<uint64_t>(quantiles[end]) == bits) ++end;
      OwnedRow row{{}, true, std::vector<double>(column.size(), absent_value())};
      row.labels =
          model::LabelsBuilder(labels).set(label_, quantile_text(quantiles[start])).build();
      std::copy(column.begin() + static_cast<ptrdiff_t>(start),
                column.begin() + static_cast<ptrdiff_t>(end),
                row.values.begin() + static_cast<ptrdiff_t>(start));
      TRY(held_.add(bytes_of(row.row()) + bytes_of_key(row.labels)));
      TRY(out.add(std::move(row)));
      start = end;
    }
    return {};
  }

  EvalContext& context_;
  const Expr& argument_;
  HeldBytes held_;
  RowSourcePtr rows_;
  const std::string label_;
  const std::vector<std::vector<double>> quantiles_;  // one column for each argument
  ForcedCounts forced_;
};

RowSourcePtr many_quantiles(const Call& call, std::vector<Argument>& args, EvalContext& context) {
  std::vector<std::vector<double>> quantiles;
  for (size_t i = 2; i < args.size(); ++i) {
    warn_of_quantiles(args[i].scalar, argument_of(call, i), context);
    quantiles.push_back(std::move(args[i].scalar));
  }
  return std::make_unique<ManyQuantiles>(std::move(quantiles), std::move(args[1].text),
                                         std::move(args[0].rows), argument_of(call, 0), context);
}

}  // namespace

Result<RowSourcePtr> histograms_on_rows(const Call& call, std::vector<Argument>& args,
                                        EvalContext& context) {
  const std::string_view name = call.function->name;
  if (!name.starts_with("histogram_")) return nullptr;
  if (name == "histogram_quantile") {
    warn_of_quantiles(args[0].scalar, argument_of(call, 0), context);
    return std::make_unique<QuantileRows>(std::move(args[0].scalar), std::move(args[1].rows),
                                          argument_of(call, 1), context);
  }
  if (name == "histogram_quantiles") return many_quantiles(call, args, context);
  if (name == "histogram_fraction") {
    return std::make_unique<FractionRows>(std::move(args[0].scalar), std::move(args[1].scalar),
                                          std::move(args[2].rows), argument_of(call, 2), context);
  }
  return no_rows(std::move(args[0].rows));
}

}  // namespace binnacle::query::promql
