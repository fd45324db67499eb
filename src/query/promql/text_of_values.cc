#include "query/promql/text_of_values.h"

#include <ctime>

#include <fmt/format.h>

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
  const std::time_t seconds = ms / 1000;
  std::tm tm{};
  if (gmtime_r(&seconds, &tm) == nullptr) return fmt::format("{} s", seconds);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

std::string for_metric_name(std::string_view name) {
  return name.empty() ? "" : " for metric name " + quoted(name);
}

}  // namespace binnacle::query::promql
