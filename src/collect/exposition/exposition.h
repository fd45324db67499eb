// Reads the text of a /metrics page: Prometheus' text format 0.0.4 and OpenMetrics 1.0. Nothing is
// copied: every view points into the body. One pass, one line at a time; the reader may be used for
// body after body. One thread. Sources: Prometheus documentation, "Exposition formats"; OpenMetrics
// 1.0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::collect::exposition {

enum class Format : uint8_t { kText, kOpenMetrics };

// By Content-Type: application/openmetrics-text is kOpenMetrics, text/plain or none kText.
// kInvalidArgument for any other (text/html, JSON, protobuf), with the type in the message.
Result<Format> format_of(std::string_view content_type);

struct Entry {
  enum class Kind : uint8_t { kEnd, kType, kHelp, kUnit, kSample };
  Kind kind = Kind::kEnd;

  // Of kType, kHelp, kUnit.
  std::string_view family;
  model::MetricType type = model::MetricType::kUnknown;
  std::string_view text;  // help or unit, escapes resolved; valid until the next call

  // Of kSample. `series` is the raw text from the metric's name to the closing brace: the same
  // bytes mean the same series, so that a known one needs no labels read.
  std::string_view series;
  double value = 0;
  std::optional<int64_t> timestamp_ms;
  bool has_exemplar = false;
};

class Reader {
 public:
  // `body` outlives the reading.
  void begin(std::string_view body, Format format);

  // kInvalidArgument: what is wrong, with line and column and the text there; the body is of no use
  // from there on. kOpenMetrics wants `# EOF` at its end.
  Status next(Entry& entry);

  // The labels of the sample just read, `__name__` with them, into `labels` (cleared first).
  // kInvalidArgument: bad escape, a label twice, not UTF-8.
  Status read_labels(model::LabelsBuilder& labels) const;

  size_t line() const;  // from 1, of the entry just read
};

}  // namespace binnacle::collect::exposition
