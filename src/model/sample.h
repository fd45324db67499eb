// A sample: Unix milliseconds and a double. Stale markers are one NaN bit pattern, Prometheus' own.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace binnacle::model {

struct Sample {
  int64_t timestamp_ms = 0;
  double value = 0;
};

inline constexpr uint64_t kStaleNanBits = 0x7ff0000000000002;
inline double stale_nan() { return std::bit_cast<double>(kStaleNanBits); }
inline bool is_stale(double v) { return std::bit_cast<uint64_t>(v) == kStaleNanBits; }

// What a stored value is. Floats today; the places that carry a kind need no new format for the
// others.
enum class ValueKind : uint8_t { kFloat, kIntHistogram, kFloatHistogram, kCustomBucketHistogram };

enum class MetricType : uint8_t {
  kUnknown,
  kCounter,
  kGauge,
  kHistogram,
  kGaugeHistogram,
  kSummary,
  kInfo,
  kStateset
};

struct MetricMetadata {
  MetricType type = MetricType::kUnknown;
  std::string help;
  std::string unit;
  friend bool operator==(const MetricMetadata&, const MetricMetadata&) = default;
};

}  // namespace binnacle::model
