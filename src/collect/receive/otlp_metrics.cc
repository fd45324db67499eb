#include "collect/receive/otlp_metrics.h"

#include <fmt/format.h>

namespace binnacle::collect::receive {

OtlpTemporality otlp_temporality(int64_t number) {
  if (number == 1) return OtlpTemporality::kDelta;
  return number == 2 ? OtlpTemporality::kCumulative : OtlpTemporality::kUnspecified;
}

Status OtlpMetrics::hold(size_t bytes) {
  held_bytes_ += bytes;
  if (held_bytes_ <= max_bytes_) return {};
  return fail(Code::kResourceExhausted,
              fmt::format("OTLP body: takes more than {} bytes decoded, four times "
                          "collect.receive.max_body_bytes; export in smaller batches",
                          max_bytes_));
}

}  // namespace binnacle::collect::receive
