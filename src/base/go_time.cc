#include "base/go_time.h"

#include "base/time_zone.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

namespace binnacle {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

enum class Part : uint8_t {
  kText,
  kYear,
  kShortYear,
  kLongMonth,
  kMonthName,
  kMonth,
  kZeroMonth,
  kLongDay,
  kDayName,
  kDay,
  kSpaceDay,
  kZeroDay,
  kSpaceYearDay,
  kZeroYearDay,
  kHour,
  kHour12,
  kZeroHour12,
  kMinute,
  kZeroMinute,
  kSecond,
  kZeroSecond,
  kUpperHalf,
  kLowerHalf,
  kFraction,         // ".000": as many digits
  kTrimmedFraction,  // ".999": without zeros at the end
  kZoneName,
  kOffset,       // -0700
  kColonOffset,  // -07:00
  kHourOffset,   // -07
  kIsoOffset,    // Z0700
  kIsoColonOffset,
};

struct Token {
  std::string_view text;
  Part part;
};

// The longest first where one begins another.
constexpr Token kTokens[] = {
    {"January", Part::kLongMonth},
    {"Jan", Part::kMonthName},
    {"Monday", Part::kLongDay},
    {"Mon", Part::kDayName},
    {"MST", Part::kZoneName},
    {"2006", Part::kYear},
    {"002", Part::kZeroYearDay},
    {"01", Part::kZeroMonth},
    {"02", Part::kZeroDay},
    {"03", Part::kZeroHour12},
    {"04", Part::kZeroMinute},
    {"05", Part::kZeroSecond},
    {"06", Part::kShortYear},
    {"15", Part::kHour},
    {"PM", Part::kUpperHalf},
    {"pm", Part::kLowerHalf},
    {"-07:00", Part::kColonOffset},
    {"-0700", Part::kOffset},
    {"-07", Part::kHourOffset},
    {"Z07:00", Part::kIsoColonOffset},
    {"Z0700", Part::kIsoOffset},
    {"__2", Part::kSpaceYearDay},
    {"_2", Part::kSpaceDay},
    {"1", Part::kMonth},
    {"2", Part::kDay},
    {"3", Part::kHour12},
    {"4", Part::kMinute},
    {"5", Part::kSecond},
};

// ".000" or ",999", which no further digit follows.
std::optional<Token> fraction_at(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return std::nullopt;
  const char digit = layout[1];
  if (digit != '0' && digit != '9') return std::nullopt;
  const size_t end = std::min(layout.find_first_not_of(digit, 1), layout.size());
  if (end < layout.size() && layout[end] >= '0' && layout[end] <= '9') return std::nullopt;
  return Token{layout.substr(0, end), digit == '0' ? Part::kFraction : Part::kTrimmedFraction};
}

// The part at the start of the layout; one byte of plain text where there is none.
Token part_at(std::string_view layout) {
  if (const auto fraction = fraction_at(layout)) return *fraction;
  // "_2006" is a space and a year, not a day.
  if (layout.starts_with("_2006")) return {layout.substr(0, 1), Part::kText};
  for (const Token& token : kTokens) {
    if (!layout.starts_with(token.text)) continue;
    // "Jan" of "Janet" is one, but "Month" is no "Mon" and a letter: Go looks for no lower case.
    const size_t end = token.text.size();
    const bool word = token.part == Part::kMonthName || token.part == Part::kDayName;
    if (word && end < layout.size() && layout[end] >= 'a' && layout[end] <= 'z') continue;
    return {layout.substr(0, end), token.part};
  }
  return {layout.substr(0, 1), Part::kText};
}

std::string offset_text(int offset_s, Part part) {
  if ((part == Part::kIsoOffset || part == Part::kIsoColonOffset) && offset_s == 0) return "Z";
  const int minutes = std::abs(offset_s) / 60;
  const char sign = offset_s < 0 ? '-' : '+';
  if (part == Part::kHourOffset) return fmt::format("{}{:02}", sign, minutes / 60);
  const bool colon = part == Part::kColonOffset || part == Part::kIsoColonOffset;
  return fmt::format("{}{:02}{}{:02}", sign, minutes / 60, colon ? ":" : "", minutes % 60);
}

std::string fraction_text(int nanoseconds, const Token& token) {
  std::string digits = fmt::format("{:09}", nanoseconds).substr(0, token.text.size() - 1);
  if (token.part == Part::kTrimmedFraction) {
    digits.resize(digits.find_last_not_of('0') + 1);
    if (digits.empty()) return "";
  }
  return token.text[0] + digits;
}

std::string part_text(const Token& token, const CivilTime& t, int nanoseconds) {
  const int hour12 = t.hour % 12 == 0 ? 12 : t.hour % 12;
  switch (token.part) {
    case Part::kText:
      return std::string(token.text);
    case Part::kYear:
      return fmt::format("{:04}", t.year);
    case Part::kShortYear:
      return fmt::format("{:02}", (t.year % 100 + 100) % 100);
    case Part::kLongMonth:
      return std::string(kMonths[t.month - 1]);
    case Part::kMonthName:
      return std::string(kMonths[t.month - 1].substr(0, 3));
    case Part::kMonth:
      return fmt::format("{}", t.month);
    case Part::kZeroMonth:
      return fmt::format("{:02}", t.month);
    case Part::kLongDay:
      return std::string(kDays[t.weekday]);
    case Part::kDayName:
      return std::string(kDays[t.weekday].substr(0, 3));
    case Part::kDay:
      return fmt::format("{}", t.day);
    case Part::kSpaceDay:
      return fmt::format("{:2}", t.day);
    case Part::kZeroDay:
      return fmt::format("{:02}", t.day);
    case Part::kSpaceYearDay:
      return fmt::format("{:3}", t.year_day);
    case Part::kZeroYearDay:
      return fmt::format("{:03}", t.year_day);
    case Part::kHour:
      return fmt::format("{:02}", t.hour);
    case Part::kHour12:
      return fmt::format("{}", hour12);
    case Part::kZeroHour12:
      return fmt::format("{:02}", hour12);
    case Part::kMinute:
      return fmt::format("{}", t.minute);
    case Part::kZeroMinute:
      return fmt::format("{:02}", t.minute);
    case Part::kSecond:
      return fmt::format("{}", t.second);
    case Part::kZeroSecond:
      return fmt::format("{:02}", t.second);
    case Part::kUpperHalf:
      return t.hour >= 12 ? "PM" : "AM";
    case Part::kLowerHalf:
      return t.hour >= 12 ? "pm" : "am";
    case Part::kFraction:
    case Part::kTrimmedFraction:
      return fraction_text(nanoseconds, token);
    case Part::kZoneName:
      return t.zone;
    case Part::kOffset:
    case Part::kColonOffset:
    case Part::kHourOffset:
    case Part::kIsoOffset:
    case Part::kIsoColonOffset:
      return offset_text(t.offset_s, token.part);
  }
  return "";
}

}  // namespace

Result<std::string> format_go_time(int64_t unix_s, int nanoseconds, const std::string& zone,
                                   std::string_view layout) {
  TRY_ASSIGN(const CivilTime civil, civil_time(unix_s, zone));
  std::string out;
  while (!layout.empty()) {
    const Token token = part_at(layout);
    out += part_text(token, civil, nanoseconds);
    layout.remove_prefix(token.text.size());
  }
  return out;
}

std::string format_go_duration(int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const bool negative = nanoseconds < 0;
  const uint64_t ns =
      negative ? 0 - static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
  std::string out = negative ? "-" : "";
  const auto decimal = [](uint64_t value, uint64_t unit) {
    std::string text = fmt::format("{}", value / unit);
    if (value % unit == 0) return text;
    const auto digits = static_cast<int>(fmt::format("{}", unit).size()) - 1;
    std::string fraction = fmt::format("{:0{}}", value % unit, digits);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    return text + '.' + fraction;
  };
  if (ns < 1'000) return out + fmt::format("{}ns", ns);
  if (ns < 1'000'000) return out + decimal(ns, 1'000) + "µs";
  if (ns < kSecond) return out + decimal(ns, 1'000'000) + "ms";
  const uint64_t minutes = ns / (60 * kSecond);
  if (minutes >= 60) out += fmt::format("{}h", minutes / 60);
  if (minutes > 0) out += fmt::format("{}m", minutes % 60);
  return out + decimal(ns % (60 * kSecond), kSecond) + "s";
}

}  // namespace binnacle
