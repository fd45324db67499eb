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

inline constexpr size_t kMaxLabelsOfSeries = 1024;  // read_labels() refuses more

class Reader {
 public:
  // `body` outlives the reading.
  void begin(std::string_view body, Format format);

  // kInvalidArgument: what is wrong, with line and column and the text there; the body is of no use
  // from there on. kOpenMetrics wants `# EOF` at its end. What stands between a series' braces is
  // looked at by read_labels() alone, as the text of a known series was good before.
  Status next(Entry& entry);

  // What is not read yet, from the start of the next line. A caller who finds there the bytes of a
  // series that it knows spares the search for their end by next_known().
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  Status next_known(size_t series_bytes, Entry& entry);

  // The labels of the sample just read, `__name__` with them, into `labels` (cleared first). As in
  // Prometheus 3, `le` of a histogram and `quantile` of a summary get OpenMetrics' form ("1.0").
  // kInvalidArgument: wrong between the braces, a label twice, not UTF-8, kMaxLabelsOfSeries.
  Status read_labels(model::LabelsBuilder& labels) const;

  size_t line() const;  // from 1, of the entry just read; counts, so for messages only

 private:
  bool take_blank_lines();
  bool at_end_of_line() const;
  bool take_end_of_line();
  void take_spaces();
  bool take_gap();
  Status read_comment(Entry& entry, bool& found);
  Status read_metadata(std::string_view keyword, Entry& entry);
  Status read_family(Entry& entry);
  Status read_type(std::string_view text, Entry& entry);
  Status read_unit(std::string_view text, Entry& entry);
  Status read_end(Entry& entry);
  Status read_series(Entry& entry);
  Status find_closing_brace();
  Status read_sample(Entry& entry);
  Status read_text_timestamp(Entry& entry);
  Status read_openmetrics_tail(Entry& entry);
  Status read_openmetrics_timestamp(Entry& entry);
  Status read_exemplar();
  Unexpected wrong(std::string_view what) const;

  std::string_view body_;
  Format format_ = Format::kText;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  const char* line_start_ = nullptr;
  std::string_view series_;                                    // of the sample just read
  model::MetricType last_type_ = model::MetricType::kUnknown;  // of the last TYPE line
  std::string unescaped_;
};

}  // namespace binnacle::collect::exposition
