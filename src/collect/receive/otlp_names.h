// How OTLP's names become Prometheus' ones: characters, units, `_total` and `_ratio`. Pure
// functions. Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", as
// Prometheus 3 reads it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "collect/receive/otlp_metrics.h"

namespace binnacle::collect::receive {

// By the names of `otlp.translation_strategy` in Prometheus' configuration.
enum class OtlpTranslation : uint8_t {
  kUnderscoreEscapingWithSuffixes,
  kUnderscoreEscapingWithoutSuffixes,
  kNoUtf8EscapingWithSuffixes,
  kNoTranslation,
};
Result<OtlpTranslation> otlp_translation_from_name(std::string_view name);

// kInvalidArgument when nothing but underscores is left.
Result<std::string> otlp_metric_name(const OtlpMetric& metric, OtlpTranslation translation);
Result<std::string> otlp_label_name(std::string_view attribute, OtlpTranslation translation);
// "bytes_per_second" of "By/s": the unit in a metric's metadata.
std::string otlp_unit_name(std::string_view unit);

}  // namespace binnacle::collect::receive
