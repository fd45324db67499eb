#include "collect/receive/otlp_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "base/check.h"
#include "base/utf8.h"

namespace binnacle::collect::receive {
namespace {

constexpr size_t kMaxLines = 5;
constexpr size_t kMaxShownBytes = 200;
// target_info is written this densely between the first and the last point of a resource, so that a
// query at any time between finds it.
constexpr int64_t kTargetInfoEveryMs = 150'000;
constexpr int64_t kMaxTargetInfos = 1000;  // of a resource

constexpr std::string_view kServiceName = "service.name";
constexpr std::string_view kServiceNamespace = "service.namespace";
constexpr std::string_view kServiceInstance = "service.instance.id";

constexpr std::array<std::string_view, kOtlpRefusedReasons> kReasonNames = {
    "delta_temporality", "exponential_histogram",
    "no_value",          "malformed_histogram",
    "bad_name",          "bad_labels",
    "out_of_bounds",     "other_value_at_that_time",
    "series_limit",      "other"};

bool is_identifying(std::string_view key) {
  return key == kServiceName || key == kServiceNamespace || key == kServiceInstance;
}

int64_t to_ms(uint64_t time_ns) { return static_cast<int64_t>(time_ns / 1'000'000); }

bool has_temporality(OtlpKind kind) {
  return kind == OtlpKind::kSum || kind == OtlpKind::kHistogram ||
         kind == OtlpKind::kExponentialHistogram;
}

model::MetricType type_of(const OtlpMetric& metric) {
  switch (metric.kind) {
    case OtlpKind::kSum:
      return metric.monotonic ? model::MetricType::kCounter : model::MetricType::kGauge;
    case OtlpKind::kGauge:
      return model::MetricType::kGauge;
    case OtlpKind::kHistogram:
    case OtlpKind::kExponentialHistogram:
      return model::MetricType::kHistogram;
    case OtlpKind::kSummary:
      return model::MetricType::kSummary;
    case OtlpKind::kNone:
      break;
  }
  return model::MetricType::kUnknown;
}

OtlpRefused reason_of_store(Code code) {
  switch (code) {
    case Code::kOutOfRange:
      return OtlpRefused::kOutOfBounds;
    case Code::kAlreadyExists:
      return OtlpRefused::kOtherValue;
    case Code::kResourceExhausted:
      return OtlpRefused::kSeriesLimit;
    case Code::kInvalidArgument:
      return OtlpRefused::kBadLabels;
    default:
      return OtlpRefused::kOther;
  }
}

std::string shown(std::string_view text) {
  return to_valid_utf8(text.substr(0, kMaxShownBytes)) +
         (text.size() > kMaxShownBytes ? "..." : "");
}

// As Prometheus writes a bound that came by OTLP: never with an exponent.
std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[512];  // the smallest double has 324 places before its digits
  const auto [end, error] =
      std::to_chars(std::begin(text), std::end(text), value, std::chars_format::fixed);
  CHECK(error == std::errc());
  return {text, end};
}

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

}  // namespace

std::string_view otlp_reason_name(OtlpRefused reason) {
  return kReasonNames[static_cast<size_t>(reason)];
}

size_t OtlpOutcome::refused_points() const {
  size_t sum = 0;
  for (const size_t count : refused) sum += count;
  return sum;
}

std::string OtlpOutcome::message() const {
  const size_t all = refused_points();
  if (all == 0) return {};
  std::string out = fmt::format("{} of {} data points refused (", all, points);
  bool first = true;
  for (size_t i = 0; i < refused.size(); ++i) {
    if (refused[i] == 0) continue;
    out += fmt::format("{}{}: {}", first ? "" : ", ", kReasonNames[i], refused[i]);
    first = false;
  }
  out += ")";
  for (const std::string& line : lines) out += "; " + line;
  return out;
}

OtlpBatch::OtlpBatch(const OtlpMetrics& from, const OtlpOptions& options, const LabelLimits& limits,
                     model::Appendable& into)
    : from_(from),
      options_(options),
      limits_(limits),
      to_(into.appender()),
      is_refused_(from.points.size()) {}

Result<OtlpOutcome> OtlpBatch::store() {
  for (const OtlpResource& resource : from_.resources) {
    set_resource(resource);
    for (uint32_t i = resource.metrics.begin; i < resource.metrics.end; ++i)
      store_metric(from_.metrics[i]);
    point_ = kNoPoint;
    if (latest_ns_ != 0) store_target_info(resource);
  }
  TRY_ASSIGN(const model::CommitReport report, to_->commit());
  outcome_.samples = report.stored;
  for (const auto& [index, error] : report.refused) {
    CHECK(index < appended_.size());
    refuse(appended_[index], reason_of_store(error.code), shown(error.message));
  }
  return std::move(outcome_);
}

std::string_view OtlpBatch::attribute(OtlpRange range, std::string_view key) const {
  for (uint32_t i = range.begin; i < range.end; ++i) {
    if (from_.attributes[i].key == key) return from_.attributes[i].value;
  }
  return {};
}

void OtlpBatch::set_resource(const OtlpResource& resource) {
  earliest_ns_ = UINT64_MAX;
  latest_ns_ = 0;
  job_ = attribute(resource.attributes, kServiceName);
  const std::string_view name_space = attribute(resource.attributes, kServiceNamespace);
  if (!job_.empty() && !name_space.empty()) job_ = fmt::format("{}/{}", name_space, job_);
  instance_ = attribute(resource.attributes, kServiceInstance);
  promoted_.clear();
  for (uint32_t i = resource.attributes.begin; i < resource.attributes.end; ++i) {
    const auto& [key, value] = from_.attributes[i];
    const bool wanted = options_.promote_all_resource_attributes
                            ? !contains(options_.ignore_resource_attributes, key)
                            : contains(options_.promote_resource_attributes, key);
    if (!wanted) continue;
    if (auto label = otlp_label_name(key, options_.translation))
      promoted_.emplace_back(*std::move(label), value);
  }
}

void OtlpBatch::store_metric(const OtlpMetric& metric) {
  outcome_.points += metric.points.size();
  for (uint32_t i = metric.points.begin; i < metric.points.end; ++i) {
    earliest_ns_ = std::min(earliest_ns_, from_.points[i].time_ns);
    latest_ns_ = std::max(latest_ns_, from_.points[i].time_ns);
  }
  if (has_temporality(metric.kind) && metric.temporality != OtlpTemporality::kCumulative) {
    return refuse_metric(
        metric, OtlpRefused::kDelta,
        "its temporality is not cumulative: have the exporter send cumulative values "
        "(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative)");
  }
  if (metric.kind == OtlpKind::kExponentialHistogram) {
    return refuse_metric(
        metric, OtlpRefused::kExponentialHistogram,
        "exponential histograms are not stored: have the exporter send explicit buckets "
        "(OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram)");
  }
  const auto name = otlp_metric_name(metric, options_.translation);
  if (!name) return refuse_metric(metric, OtlpRefused::kBadName, name.error().message);
  if (!is_valid_utf8(*name))
    return refuse_metric(metric, OtlpRefused::kBadName, "its name is not UTF-8");
  if (name->size() > limits_.max_value_bytes) {
    return refuse_metric(metric, OtlpRefused::kBadName,
                         "its name is too long (collect.receive.max_label_value_bytes)");
  }
  if (metric.points.size() != 0) add_metadata(metric, *name);
  for (uint32_t i = metric.points.begin; i < metric.points.end; ++i) store_point(metric, *name, i);
}

void OtlpBatch::add_metadata(const OtlpMetric& metric, const std::string& name) {
  to_->append_metadata(name, {.type = type_of(metric),
                              .help = to_valid_utf8(metric.description),
                              .unit = otlp_unit_name(metric.unit)});
}

void OtlpBatch::store_point(const OtlpMetric& metric, const std::string& name, uint32_t at) {
  const OtlpPoint& point = from_.points[at];
  point_ = at;
  labels_.reset();
  if (!set_attributes(point.attributes, true)) return;
  for (const auto& [label, value] : promoted_) {
    if (labels_.get(label).empty()) labels_.set(label, value);
  }
  if (!job_.empty()) labels_.set("job", job_);
  if (!instance_.empty()) labels_.set("instance", instance_);
  switch (metric.kind) {
    case OtlpKind::kHistogram:
      return store_histogram(point, name);
    case OtlpKind::kSummary:
      return store_summary(point, name);
    default:
      return store_number(point, name);
  }
}

// Attributes in the order of their keys; those that become one label are joined.
bool OtlpBatch::set_attributes(OtlpRange range, bool identifying) {
  std::vector<OtlpAttribute> sorted(from_.attributes.begin() + range.begin,
                                    from_.attributes.begin() + range.end);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const OtlpAttribute& a, const OtlpAttribute& b) { return a.key < b.key; });
  for (const auto& [key, value] : sorted) {
    if (key == model::kMetricName || (!identifying && is_identifying(key))) continue;
    const auto label = otlp_label_name(key, options_.translation);
    if (!label) {
      refuse(point_, OtlpRefused::kBadLabels, label.error().message);
      return false;
    }
    const std::string there(labels_.get(*label));
    labels_.set(*label, there.empty() ? std::string(value) : fmt::format("{};{}", there, value));
  }
  return true;
}

void OtlpBatch::store_number(const OtlpPoint& point, const std::string& name) {
  const bool stale = (point.flags & kOtlpNoRecordedValue) != 0;
  if (!stale && !point.has_value)
    return refuse(point_, OtlpRefused::kNoValue, fmt::format("{}: a point has no value", name));
  append(name, {}, {}, to_ms(point.time_ns), stale ? model::stale_nan() : point.value);
}

void OtlpBatch::store_histogram(const OtlpPoint& point, const std::string& name) {
  const bool stale = (point.flags & kOtlpNoRecordedValue) != 0;
  const uint32_t bounds = point.bounds.size();
  const uint32_t counts = point.counts.size();
  if (!stale && counts != 0 && counts != bounds + 1) {
    return refuse(point_, OtlpRefused::kMalformedHistogram,
                  fmt::format("{}: {} bucket counts for {} bounds, one more is needed", shown(name),
                              counts, bounds));
  }
  const auto value = [stale](double v) { return stale ? model::stale_nan() : v; };
  const int64_t at_ms = to_ms(point.time_ns);
  if (point.has_value) append(name + "_sum", {}, {}, at_ms, value(point.value));
  append(name + "_count", {}, {}, at_ms, value(point.count));
  double cumulative = 0;
  for (uint32_t i = 0; i < std::min(bounds, counts); ++i) {
    cumulative += from_.numbers[point.counts.begin + i];
    append(name + "_bucket", "le", number_text(from_.numbers[point.bounds.begin + i]), at_ms,
           value(cumulative));
  }
  append(name + "_bucket", "le", "+Inf", at_ms, value(point.count));
}

void OtlpBatch::store_summary(const OtlpPoint& point, const std::string& name) {
  const bool stale = (point.flags & kOtlpNoRecordedValue) != 0;
  const auto value = [stale](double v) { return stale ? model::stale_nan() : v; };
  const int64_t at_ms = to_ms(point.time_ns);
  append(name + "_sum", {}, {}, at_ms, value(point.value));
  append(name + "_count", {}, {}, at_ms, value(point.count));
  for (uint32_t i = 0; i < std::min(point.bounds.size(), point.counts.size()); ++i) {
    append(name, "quantile", number_text(from_.numbers[point.bounds.begin + i]), at_ms,
           value(from_.numbers[point.counts.begin + i]));
  }
}

void OtlpBatch::store_target_info(const OtlpResource& resource) {
  labels_.reset();
  if (job_.empty() && instance_.empty()) return;
  const bool keep = options_.keep_identifying_resource_attributes;
  if (!set_attributes(resource.attributes, keep)) return;
  if (labels_.build().empty()) return;  // says nothing that job and instance do not
  if (!job_.empty()) labels_.set("job", job_);
  if (!instance_.empty()) labels_.set("instance", instance_);
  to_->append_metadata("target_info", {model::MetricType::kGauge, "Target metadata", ""});
  const int64_t last_ms = to_ms(latest_ns_);
  const int64_t first_ms =
      std::max(to_ms(earliest_ns_),
               last_ms - std::min(kMaxTargetInfos, target_infos_left_) * kTargetInfoEveryMs);
  for (int64_t at_ms = first_ms; at_ms < last_ms; at_ms += kTargetInfoEveryMs) {
    append("target_info", {}, {}, at_ms, 1);
    --target_infos_left_;
  }
  append("target_info", {}, {}, last_ms, 1);
}

void OtlpBatch::append(const std::string& name, std::string_view label,
                       std::string_view label_value, int64_t at_ms, double value) {
  labels_.set(model::kMetricName, name);
  if (!label.empty()) labels_.set(label, label_value);
  const model::Labels labels = labels_.build();
  if (!label.empty()) labels_.remove(label);
  if (std::string problem = label_problem(labels); !problem.empty())
    return refuse(point_, OtlpRefused::kBadLabels, shown(name) + ": " + problem);
  appended_.push_back(point_);
  if (const auto ref = to_->append(model::kNoSeries, labels, {at_ms, value}); !ref)
    refuse(point_, reason_of_store(ref.error().code), shown(ref.error().message));
}

std::string OtlpBatch::label_problem(model::LabelsView labels) const {
  size_t count = 0;
  for (const auto& [name, value] : labels) {
    ++count;
    if (name.size() > limits_.max_name_bytes)
      return "a label's name is too long (collect.receive.max_label_name_bytes)";
    if (value.size() > limits_.max_value_bytes)
      return "a label's value is too long (collect.receive.max_label_value_bytes)";
    if (!is_valid_utf8(name) || !is_valid_utf8(value)) return "a label is not UTF-8";
  }
  return count <= limits_.max_count ? "" : "too many labels (collect.receive.max_labels)";
}

void OtlpBatch::refuse_metric(const OtlpMetric& metric, OtlpRefused reason, std::string line) {
  std::string why = fmt::format("metric {}: {}", shown(metric.name), line);
  for (uint32_t i = metric.points.begin; i < metric.points.end; ++i)
    refuse(i, reason, i == metric.points.begin ? std::move(why) : std::string());
}

// A point of several samples is refused once. What belongs to no point, as target_info, is not
// the sender's loss.
void OtlpBatch::refuse(uint32_t point, OtlpRefused reason, std::string line) {
  if (point == kNoPoint || is_refused_[point]) return;
  is_refused_[point] = true;
  ++outcome_.refused[static_cast<size_t>(reason)];
  if (!line.empty() && outcome_.lines.size() < kMaxLines)
    outcome_.lines.push_back(to_valid_utf8(line));
}

}  // namespace binnacle::collect::receive
