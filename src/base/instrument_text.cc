#include "base/instrument_text.h"

#include "base/float_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace binnacle {
namespace {

constexpr std::string_view kTotal = "_total";

std::string_view type_name(InstrumentKind kind) {
  switch (kind) {
    case InstrumentKind::kCounter:
      return "counter";
    case InstrumentKind::kGauge:
      return "gauge";
    case InstrumentKind::kHistogram:
      return "histogram";
  }
  return "unknown";
}

void append_escaped(std::string& out, std::string_view text, bool quotes_too) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes_too) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

void append_label(std::string& out, bool first, std::string_view name, std::string_view value) {
  out += first ? '{' : ',';
  out += name;
  out += "=\"";
  append_escaped(out, value, true);
  out += '"';
}

// OpenMetrics wants to see that a number is a float.
void append_number(std::string& out, double value, TextFormat format) {
  const size_t start = out.size();
  append_float_text(out, value);
  if (format == TextFormat::kPrometheus004) return;
  const std::string_view digits = std::string_view(out).substr(start);
  if (digits.find_first_not_of("-0123456789") == digits.npos) out += ".0";
}

std::string_view trim(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == text.npos) return {};
  return text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

// The part of `rest` before `separator`; `rest` keeps what follows.
std::string_view next_part(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  return trim(part);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

struct Wish {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

Wish parse_wish(std::string_view text) {
  Wish wish;
  wish.type = next_part(text, ';');
  while (!text.empty()) {
    std::string_view value = next_part(text, ';');
    const std::string_view name = next_part(value, '=');
    if (equal_ignoring_case(name, "version")) {
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      wish.version = value;
    } else if (equal_ignoring_case(name, "q")) {
      wish.quality = 0;
      std::from_chars(value.data(), value.data() + value.size(), wish.quality);
    }
  }
  return wish;
}

// Wildcards ask for nothing in particular: the default answers them.
std::optional<TextFormat> format_of(const Wish& wish) {
  if (equal_ignoring_case(wish.type, "application/openmetrics-text")) {
    if (wish.version.empty() || wish.version == "1.0.0") return TextFormat::kOpenMetrics1;
  } else if (equal_ignoring_case(wish.type, "text/plain")) {
    if (wish.version.empty() || wish.version == "0.0.4") return TextFormat::kPrometheus004;
  }
  return std::nullopt;
}

}  // namespace

std::string_view content_type(TextFormat format) {
  return format == TextFormat::kOpenMetrics1
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

TextFormat negotiate_text_format(std::string_view accept) {
  TextFormat best = TextFormat::kPrometheus004;
  double best_quality = 0;
  while (!accept.empty()) {
    const Wish wish = parse_wish(next_part(accept, ','));
    const auto format = format_of(wish);
    if (format && wish.quality > best_quality) {
      best = *format;
      best_quality = wish.quality;
    }
  }
  return best;
}

std::string bound_text(double bound, TextFormat format) {
  std::string text;
  append_number(text, bound, format);
  return text;
}

void InstrumentTextWriter::family(std::string_view name, std::string_view help,
                                  InstrumentKind kind) {
  const bool open_metrics = format_ == TextFormat::kOpenMetrics1;
  if (open_metrics && kind == InstrumentKind::kCounter) name.remove_suffix(kTotal.size());
  text_ += "# HELP ";
  text_ += name;
  text_ += ' ';
  append_escaped(text_, help, open_metrics);
  text_ += "\n# TYPE ";
  text_ += name;
  text_ += ' ';
  text_ += type_name(kind);
  text_ += '\n';
}

void InstrumentTextWriter::sample(std::string_view name, Labels labels, double value) {
  start(name, "", labels);
  append_value(value);
}

void InstrumentTextWriter::histogram(std::string_view name, Labels labels,
                                     const Histogram& histogram) {
  const Histogram::Snapshot snapshot = histogram.snapshot();
  const std::span<const double> bounds = histogram.bounds();
  for (size_t i = 0; i < bounds.size(); ++i) {
    start(name, "_bucket", labels, bound_text(bounds[i], format_));
    append_count(snapshot.cumulative[i]);
  }
  start(name, "_bucket", labels, "+Inf");
  append_count(snapshot.cumulative.back());
  start(name, "_sum", labels);
  append_value(snapshot.sum);
  start(name, "_count", labels);
  append_count(snapshot.cumulative.back());
}

std::string InstrumentTextWriter::finish() && {
  if (format_ == TextFormat::kOpenMetrics1) text_ += "# EOF\n";
  return std::move(text_);
}

void InstrumentTextWriter::start(std::string_view name, std::string_view suffix, Labels labels,
                                 std::string_view le) {
  text_ += name;
  text_ += suffix;
  bool first = true;
  for (const auto& [label, value] : labels) {
    append_label(text_, first, label, value);
    first = false;
  }
  if (!le.empty()) {
    append_label(text_, first, "le", le);
    first = false;
  }
  text_ += first ? " " : "} ";
}

void InstrumentTextWriter::append_value(double value) {
  append_number(text_, value, format_);
  text_ += '\n';
}

// 0.0.4 knows floats only, as Prometheus' own libraries write it; OpenMetrics wants counts whole.
void InstrumentTextWriter::append_count(uint64_t count) {
  if (format_ == TextFormat::kPrometheus004) {
    append_value(static_cast<double>(count));
    return;
  }
  char digits[24];
  text_.append(digits, std::to_chars(digits, digits + sizeof(digits), count).ptr);
  text_ += '\n';
}

}  // namespace binnacle
