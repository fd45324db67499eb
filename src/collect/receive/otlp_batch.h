// Decoded OTLP metrics on their way into the store: names and labels as Prometheus 3 makes them of
// resources and attributes, histograms as classic series, one `target_info` for each resource. What
// is wrong with single points refuses these alone, with the reason. One object for one body; one
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/receive/label_fields.h"
#include "collect/receive/otlp_metrics.h"
#include "collect/receive/otlp_names.h"
#include "model/appender.h"

namespace binnacle::collect::receive {

// The keys of Prometheus' `otlp:` section that hold here.
struct OtlpOptions {
  OtlpTranslation translation = OtlpTranslation::kUnderscoreEscapingWithSuffixes;
  std::vector<std::string> promote_resource_attributes;
  bool promote_all_resource_attributes = false;
  std::vector<std::string> ignore_resource_attributes;  // where all are promoted
  // Whether target_info repeats what `job` and `instance` are made of.
  bool keep_identifying_resource_attributes = false;
};

enum class OtlpRefused : uint8_t {
  kDelta,
  kExponentialHistogram,
  kNoValue,
  kMalformedHistogram,
  kBadName,
  kBadLabels,
  kOutOfBounds,
  kOtherValue,
  kSeriesLimit,
  kOther,
};
inline constexpr size_t kOtlpRefusedReasons = 10;
std::string_view otlp_reason_name(OtlpRefused reason);  // "delta_temporality"

struct OtlpOutcome {
  size_t points = 0;                                  // of the body
  size_t samples = 0;                                 // stored
  std::array<size_t, kOtlpRefusedReasons> refused{};  // points, by reason
  std::vector<std::string> lines;                     // the first reasons in words
  size_t refused_points() const;
  std::string message() const;  // "" when nothing was refused
};

class OtlpBatch {
 public:
  OtlpBatch(const OtlpMetrics& from, const OtlpOptions& options, const LabelLimits& limits,
            model::Appendable& into);

  // Errors are those of commit(): nothing is acknowledged.
  Result<OtlpOutcome> store();

 private:
  static constexpr uint32_t kNoPoint = UINT32_MAX;

  void set_resource(const OtlpResource& resource);
  Result<std::string> escaped(std::string_view attribute) const;
  void store_metric(const OtlpMetric& metric);
  void add_metadata(const OtlpMetric& metric, const std::string& name);
  void store_point(const OtlpMetric& metric, const std::string& name, uint32_t at);
  void store_number(const OtlpPoint& point, const std::string& name);
  void store_histogram(const OtlpPoint& point, const std::string& name);
  void store_summary(const OtlpPoint& point, const std::string& name);
  void store_target_info(const OtlpResource& resource);
  bool set_attributes(OtlpRange range, bool identifying);
  void append(const std::string& name, std::string_view label, std::string_view label_value,
              int64_t at_ms, double value);
  std::string label_problem(model::LabelsView labels) const;
  void refuse_metric(const OtlpMetric& metric, OtlpRefused reason, std::string line);
  void refuse(uint32_t point, OtlpRefused reason, std::string line);
  std::string_view attribute(OtlpRange range, std::string_view key) const;

  // Fixed after construction.
  const OtlpMetrics& from_;
  const OtlpOptions& options_;
  const LabelLimits& limits_;

  std::unique_ptr<model::Appender> to_;
  OtlpOutcome outcome_;
  std::vector<bool> is_refused_;    // by point
  std::vector<uint32_t> appended_;  // by the Appender's count: of which point
  // Many resources, each with an old and a new point, would make millions of target_info. Beyond
  // this a resource has its newest one.
  int64_t target_infos_left_ = 10'000;

  // Of the resource, metric and point at hand.
  std::string job_;
  std::string instance_;
  std::vector<std::pair<std::string, std::string>> promoted_;
  uint64_t earliest_ns_ = 0;
  uint64_t latest_ns_ = 0;
  uint32_t point_ = kNoPoint;
  model::LabelsBuilder labels_;
};

}  // namespace binnacle::collect::receive
