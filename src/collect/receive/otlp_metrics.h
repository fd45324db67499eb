// A decoded body of OTLP metrics, whichever encoding it came in: flat lists that refer to each
// other by ranges, in the order of the body. Views point into the body or into `texts`. One object
// is filled once and read by one thread. Source: opentelemetry-proto, metrics/v1.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::collect::receive {

struct OtlpRange {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t size() const { return end - begin; }
};

struct OtlpAttribute {
  std::string_view key;
  std::string_view value;  // as text, whatever its type
};

enum class OtlpKind : uint8_t { kNone, kGauge, kSum, kHistogram, kExponentialHistogram, kSummary };

// The protocol's numbers.
enum class OtlpTemporality : uint8_t { kUnspecified = 0, kDelta = 1, kCumulative = 2 };
OtlpTemporality otlp_temporality(int64_t number);

inline constexpr uint64_t kOtlpNoRecordedValue = 1;  // bit of OtlpPoint::flags

struct OtlpPoint {
  OtlpRange attributes;
  OtlpRange bounds;  // of numbers: upper bounds of buckets, or quantiles
  OtlpRange counts;  // of numbers: counts of single buckets, or values of the quantiles
  uint64_t time_ns = 0;
  uint64_t flags = 0;
  double value = 0;        // of gauges and sums; else the sum of what was observed
  bool has_value = false;  // and whether there is one
  double count = 0;
};

struct OtlpMetric {
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  OtlpKind kind = OtlpKind::kNone;
  OtlpTemporality temporality = OtlpTemporality::kUnspecified;
  bool monotonic = false;
  OtlpRange points;
};

struct OtlpResource {
  OtlpRange attributes;
  OtlpRange metrics;
};

class OtlpMetrics {
 public:
  // The decoded form of a body may be larger than the body; `max_bytes` bounds it.
  explicit OtlpMetrics(size_t max_bytes) : max_bytes_(max_bytes) {}

  std::vector<OtlpResource> resources;
  std::vector<OtlpMetric> metrics;
  std::vector<OtlpPoint> points;
  std::vector<OtlpAttribute> attributes;
  std::vector<double> numbers;
  std::deque<std::string> texts;  // that stand in no body

  // Counts what is about to be added. kResourceExhausted beyond the bound.
  Status hold(size_t bytes);

 private:
  const size_t max_bytes_;
  size_t held_bytes_ = 0;
};

// Arrays and maps within a value nest this deep at most.
inline constexpr int kMaxOtlpValueDepth = 16;

// kInvalidArgument: malformed; kResourceExhausted: too large when decoded. Nothing of `out` is of
// use then. `body` outlives `out`.
Status decode_otlp_protobuf(std::string_view body, OtlpMetrics& out);
// Unknown fields are passed over, null is an absent field; numbers of 64 bits may be strings.
Status decode_otlp_json(std::string_view body, OtlpMetrics& out);

}  // namespace binnacle::collect::receive
