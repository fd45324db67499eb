#include "base/instruments.h"

#include "base/check.h"
#include "base/instrument_text.h"
#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

namespace binnacle {
namespace {

constexpr std::array<double, 13> kLatencyBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                   0.25,  0.5,    1,     2.5,  5,     10};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view name, bool colons) {
  if (name.empty() || is_digit(name.front())) return false;
  return std::ranges::all_of(
      name, [=](char c) { return is_letter(c) || is_digit(c) || (colons && c == ':'); });
}

bool is_free_label(std::string_view name, InstrumentKind kind) {
  return is_name(name, false) && !name.starts_with("__") &&
         !(kind == InstrumentKind::kHistogram && name == "le");
}

// Sorted, checked, and in valid UTF-8, since values may come from outside.
InstrumentLabels clean(InstrumentLabels labels, InstrumentKind kind) {
  std::ranges::sort(labels);
  for (size_t i = 0; i < labels.size(); ++i) {
    CHECK(is_free_label(labels[i].first, kind));
    CHECK(i == 0 || labels[i - 1].first != labels[i].first);
    labels[i].second = to_valid_utf8(labels[i].second);
  }
  return labels;
}

std::vector<double> checked_bounds(std::span<const double> bounds) {
  CHECK(std::ranges::all_of(bounds, [](double bound) { return std::isfinite(bound); }));
  CHECK(std::ranges::adjacent_find(bounds, std::greater_equal<>()) == bounds.end());
  return {bounds.begin(), bounds.end()};
}

}  // namespace

std::span<const double> latency_bounds() { return kLatencyBounds; }

Histogram::Histogram(std::span<const double> upper_bounds)
    : bounds_(checked_bounds(upper_bounds)),
      buckets_(std::make_unique<std::atomic<uint64_t>[]>(bounds_.size() + 1)) {}

void Histogram::observe(double v) {
  // Counting beats a binary search on a few bounds: no branch depends on the value. NaN is above
  // none and below none, and so falls to +Inf.
  size_t bucket = 0;
  for (const double bound : bounds_) bucket += static_cast<size_t>(!(v <= bound));
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(v, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot snapshot;
  snapshot.sum = sum_.load(std::memory_order_relaxed);
  snapshot.cumulative.reserve(bounds_.size() + 1);
  uint64_t total = 0;
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    total += buckets_[i].load(std::memory_order_relaxed);
    snapshot.cumulative.push_back(total);
  }
  return snapshot;
}

struct Registry::Series {
  Series(const Family& of, InstrumentLabels series_labels);

  // Fixed after construction; the instrument's value is its own.
  const Family& family;
  const InstrumentLabels labels;
  std::variant<Counter, Gauge, Histogram> instrument;
};

struct Registry::Family {
  Family(std::string_view family_name, std::string_view family_help, InstrumentKind family_kind,
         std::span<const double> family_bounds)
      : name(family_name),
        help(to_valid_utf8(family_help)),
        kind(family_kind),
        bounds(checked_bounds(family_bounds)) {
    CHECK(is_name(name, true));
    CHECK(kind != InstrumentKind::kCounter || (name.ends_with("_total") && name != "_total"));
  }

  // Fixed after construction.
  const std::string name;
  const std::string help;
  const InstrumentKind kind;
  const std::vector<double> bounds;

  // Guarded by the registry's mu_. A series once made stays.
  std::map<InstrumentLabels, std::unique_ptr<Series>> series;
};

Registry::Series::Series(const Family& of, InstrumentLabels series_labels)
    : family(of), labels(std::move(series_labels)) {
  if (of.kind == InstrumentKind::kGauge) instrument.emplace<Gauge>();
  if (of.kind == InstrumentKind::kHistogram) instrument.emplace<Histogram>(of.bounds);
}

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Series& Registry::series(std::string_view name, std::string_view help,
                                   InstrumentKind kind, InstrumentLabels labels,
                                   std::span<const double> bounds) {
  labels = clean(std::move(labels), kind);
  MutexLock lock(mu_);
  auto found = families_.find(name);
  if (found == families_.end()) {
    auto family = std::make_unique<Family>(name, help, kind, bounds);
    found = families_.emplace(std::string(name), std::move(family)).first;
  }
  Family& family = *found->second;
  CHECK(family.kind == kind);
  CHECK(family.help == to_valid_utf8(help));
  CHECK(std::ranges::equal(family.bounds, bounds));
  auto& slot = family.series[labels];
  if (!slot) slot = std::make_unique<Series>(family, std::move(labels));
  return *slot;
}

Counter& Registry::counter(std::string_view name, std::string_view help, InstrumentLabels labels) {
  return std::get<Counter>(
      series(name, help, InstrumentKind::kCounter, std::move(labels)).instrument);
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, InstrumentLabels labels) {
  return std::get<Gauge>(series(name, help, InstrumentKind::kGauge, std::move(labels)).instrument);
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::span<const double> upper_bounds, InstrumentLabels labels) {
  return std::get<Histogram>(
      series(name, help, InstrumentKind::kHistogram, std::move(labels), upper_bounds).instrument);
}

void Registry::before_collect(std::function<void()> fn) {
  MutexLock lock(mu_);
  callbacks_.push_back(std::move(fn));
}

void Registry::run_callbacks() {
  MutexLock collecting(collecting_);
  std::vector<std::function<void()>> callbacks;
  {
    MutexLock lock(mu_);
    callbacks = callbacks_;
  }
  for (const auto& callback : callbacks) callback();
}

// By family name, then labels. Series never go, so they may be read after the lock is given back.
std::vector<const Registry::Series*> Registry::all_series() {
  MutexLock lock(mu_);
  std::vector<const Series*> all;
  for (const auto& [name, family] : families_) {
    for (const auto& [labels, series] : family->series) all.push_back(series.get());
  }
  return all;
}

namespace {

void visit_histogram(const Registry::Visitor& visitor, const std::string& name,
                     const InstrumentLabels& labels, const Histogram& histogram) {
  const Histogram::Snapshot snapshot = histogram.snapshot();
  const std::string bucket = name + "_bucket";
  InstrumentLabels with_le = labels;
  const auto le = with_le.insert(
      std::ranges::lower_bound(with_le, "le", {}, &InstrumentLabels::value_type::first),
      {"le", ""});
  for (size_t i = 0; i < snapshot.cumulative.size(); ++i) {
    le->second = i < histogram.bounds().size()
                     ? bound_text(histogram.bounds()[i], TextFormat::kPrometheus004)
                     : "+Inf";
    visitor(bucket, with_le, static_cast<double>(snapshot.cumulative[i]));
  }
  visitor(name + "_sum", labels, snapshot.sum);
  visitor(name + "_count", labels, static_cast<double>(snapshot.cumulative.back()));
}

double single_value(const std::variant<Counter, Gauge, Histogram>& instrument) {
  if (const auto* counter = std::get_if<Counter>(&instrument)) return counter->value();
  return std::get<Gauge>(instrument).value();
}

}  // namespace

void Registry::visit(const Visitor& visitor) {
  run_callbacks();
  for (const Series* series : all_series()) {
    if (const auto* histogram = std::get_if<Histogram>(&series->instrument)) {
      visit_histogram(visitor, series->family.name, series->labels, *histogram);
    } else {
      visitor(series->family.name, series->labels, single_value(series->instrument));
    }
  }
}

std::string Registry::write(TextFormat format) {
  run_callbacks();
  InstrumentTextWriter writer(format);
  const Family* current = nullptr;
  for (const Series* series : all_series()) {
    const Family& family = series->family;
    if (&family != current) writer.family(family.name, family.help, family.kind);
    current = &family;
    if (const auto* histogram = std::get_if<Histogram>(&series->instrument)) {
      writer.histogram(family.name, series->labels, *histogram);
    } else {
      writer.sample(family.name, series->labels, single_value(series->instrument));
    }
  }
  return std::move(writer).finish();
}

}  // namespace binnacle
