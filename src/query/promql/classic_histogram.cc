#include "query/promql/classic_histogram.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "query/promql/bucket_quantile.h"
#include "query/promql/literal_text.h"
#include "query/promql/text_of_values.h"

namespace binnacle::query::promql {
namespace {

constexpr std::string_view kBucketLabel = "le";

// A number in full, Inf and NaN in any case; nothing when it is too large for a double.
std::optional<double> parse_bound(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double bound = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, bound);
  if (error != std::errc() || stop != end || text.ends_with(')')) return std::nullopt;
  return bound;
}

void pack_without_le(model::LabelsView labels, std::string& out) {
  out.clear();
  for (const model::Label& label : labels) {
    if (label.name != kBucketLabel) model::append_packed_label(out, label.name, label.value);
  }
}

// Of all others, one that is NaN goes last.
bool bound_less(double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; }

void put_in_order(ClassicHistogram& histogram) {
  std::ranges::stable_sort(histogram.buckets, bound_less, &ClassicHistogram::Bucket::bound);
  for (const ClassicHistogram::Bucket& bucket : histogram.buckets) {
    histogram.bounds.push_back(bucket.bound);
  }
  histogram.equal_bounds = std::ranges::adjacent_find(histogram.bounds) != histogram.bounds.end();
}

void warn_of_le(const Row& row, std::string_view le, const Expr& argument, EvalContext& context) {
  if (std::ranges::all_of(row.values, is_absent)) return;
  context.annotations.warn(
      fmt::format("bucket label \"le\" is missing or has a malformed value of {}{}", in_quotes(le),
                  for_metric_name(row.labels.metric_name())),
      argument.position);
}

}  // namespace

const double* Columns::keep(std::span<const double> column) {
  constexpr size_t kPiece = 16 * 1024;
  if (rest_.size() < column.size()) {
    const size_t size = std::max(kPiece, column.size());
    pieces_.push_back(std::make_unique_for_overwrite<double[]>(size));
    rest_ = {pieces_.back().get(), size};
  }
  const double* const kept = rest_.data();
  std::ranges::copy(column, rest_.begin());
  rest_ = rest_.subspan(column.size());
  return kept;
}

Result<ClassicHistograms> read_histograms(RowSource& rows, const Expr& argument, HeldBytes& held,
                                          EvalContext& context) {
  ClassicHistograms out;
  IndexByLabels index;
  std::string packed;
  Row row;
  for (;;) {
    TRY_ASSIGN(const bool more, rows.next(row));
    if (!more) break;
    const std::string_view le = row.labels.get(kBucketLabel);
    const std::optional<double> bound = parse_bound(le);
    if (!bound) {
      warn_of_le(row, le, argument, context);
      continue;
    }
    TRY(held.add(bytes_of(row)));
    pack_without_le(row.labels, packed);
    auto at = index.find(std::string_view(packed));
    if (at == index.end()) {
      TRY(held.add(sizeof(ClassicHistogram) + bytes_of_key(model::LabelsView(packed))));
      at = index.emplace(packed, static_cast<uint32_t>(out.all.size())).first;
      out.all.emplace_back().labels = model::Labels(model::LabelsView(packed));
    }
    ClassicHistogram& histogram = out.all[at->second];
    histogram.buckets.push_back({*bound, out.columns.keep(row.values)});
    histogram.gaps = histogram.gaps || std::ranges::any_of(row.values, is_absent);
  }
  for (ClassicHistogram& histogram : out.all) put_in_order(histogram);
  return out;
}

void BucketsAtStep::start(const ClassicHistogram& histogram) {
  histogram_ = &histogram;
  some_bounds_.resize(histogram.bounds.size());
  all_counts_.resize(histogram.bounds.size());
  bounds_ = histogram.bounds;
  counts_ = all_counts_;
}

bool BucketsAtStep::load(size_t step) {
  if (histogram_->gaps || histogram_->equal_bounds) return load_some(step);
  const std::vector<ClassicHistogram::Bucket>& buckets = histogram_->buckets;
  for (size_t k = 0; k < buckets.size(); ++k) all_counts_[k] = buckets[k].counts[step];
  return true;
}

bool BucketsAtStep::load_some(size_t step) {
  size_t n = 0;
  for (const ClassicHistogram::Bucket& bucket : histogram_->buckets) {
    const double count = bucket.counts[step];
    if (is_absent(count)) continue;
    some_bounds_[n] = bucket.bound;
    all_counts_[n++] = count;
  }
  if (n == 0) return false;
  const std::span<double> bounds(some_bounds_.data(), n);
  n = join_equal_bounds(bounds, {all_counts_.data(), n});
  bounds_ = bounds.first(n);
  counts_ = {all_counts_.data(), n};
  return true;
}

}  // namespace binnacle::query::promql
