// Writes instruments as Prometheus text 0.0.4 or OpenMetrics 1.0, a line at a time. Used by
// Registry alone. Formats: prometheus.io/docs/instrumenting/exposition_formats and the
// OpenMetrics 1.0 specification. The caller keeps the samples of a family together, under its head.
#pragma once

#include "base/instruments.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace binnacle {

class InstrumentTextWriter {
 public:
  using Labels = std::span<const std::pair<std::string, std::string>>;

  explicit InstrumentTextWriter(TextFormat format) : format_(format) {}

  // HELP and TYPE. OpenMetrics names a counter's family without the `_total` of its samples.
  void family(std::string_view name, std::string_view help, InstrumentKind kind);
  void sample(std::string_view name, Labels labels, double value);
  void histogram(std::string_view name, Labels labels, const Histogram& histogram);
  std::string finish() &&;

 private:
  void start(std::string_view name, std::string_view suffix, Labels labels,
             std::string_view le = {});
  void append_value(double value);
  void append_count(uint64_t count);

  // One thread.
  const TextFormat format_;
  std::string text_;
};

// 2.5 as a bucket's `le`: "2.5". OpenMetrics asks for "1.0" where 0.0.4 has "1".
std::string bound_text(double bound, TextFormat format);

}  // namespace binnacle
