#include "query/promql/text_of_values.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/float_text.h"

namespace binnacle::query::promql {

std::string quoted(std::string_view text) {
  constexpr std::string_view kPlain = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kEscaped = "abfnrtv\\\"";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (const size_t i = kPlain.find(c); i != std::string_view::npos) {
      out += '\\';
      out += kEscaped[i];
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string number_text(double v) {
  std::string out;
  append_float_text(out, v);
  return out;
}

std::string time_text(int64_t ms) {
  constexpr size_t kToSeconds = std::string_view("2026-01-02T03:04:05").size();
  return format_rfc3339(ms / 1000 * 1000).substr(0, kToSeconds) + "Z";
}

std::string for_metric_name(std::string_view name) {
  return name.empty() ? "" : " for metric name " + quoted(name);
}

}  // namespace binnacle::query::promql
