#include "base/time_text.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace binnacle {
namespace {

// Beyond it, milliseconds in an int64 and Go's time.Time disagree; nobody has samples there.
constexpr double kMaxSeconds = 9e12;

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool number(size_t digits, int& out) {
    if (rest_.size() < digits) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + digits, out);
    if (error != std::errc() || end != rest_.data() + digits || rest_.front() == '-') return false;
    rest_.remove_prefix(digits);
    return true;
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Digits after the point as milliseconds.
  bool fraction(int& ms) {
    ms = 0;
    int scale = 100;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      ms += (rest_.front() - '0') * scale;
      scale /= 10;
      any = true;
      rest_.remove_prefix(1);
    }
    return any;
  }

  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// Days since 1970-01-01 of a proleptic Gregorian date. Source: Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms", days_from_civil.
int64_t days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

std::optional<int64_t> read_rfc3339(std::string_view text) {
  Reader in(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0;
  if (!in.number(4, year) || !in.take('-') || !in.number(2, month) || !in.take('-') ||
      !in.number(2, day))
    return {};
  if (!in.take('T') && !in.take('t')) return {};
  if (!in.number(2, hour) || !in.take(':') || !in.number(2, minute) || !in.take(':') ||
      !in.number(2, second))
    return {};
  if (in.take('.') && !in.fraction(ms)) return {};
  int offset_minutes = 0;
  if (!in.take('Z') && !in.take('z')) {
    const int sign = in.take('-') ? -1 : in.take('+') ? 1 : 0;
    int hours = 0, minutes = 0;
    if (sign == 0 || !in.number(2, hours) || !in.take(':') || !in.number(2, minutes)) return {};
    offset_minutes = sign * (hours * 60 + minutes);
  }
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!in.done() || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60)
    return {};
  if (day > kDays[month - 1] + (month == 2 && leap ? 1 : 0)) return {};
  const int64_t seconds =
      days_from_civil(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second;
  return (seconds - offset_minutes * 60) * 1000 + ms;
}

}  // namespace

Result<int64_t> parse_rfc3339_ms(std::string_view text) {
  if (const auto ms = read_rfc3339(text)) return *ms;
  return fail(Code::kInvalidArgument,
              fmt::format("parse time: want RFC 3339, as 2026-01-02T03:04:05Z (\"{:.64}\")", text));
}

Result<int64_t> parse_time_ms(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (std::isfinite(seconds) && std::abs(seconds) <= kMaxSeconds)
      return std::llround(seconds * 1000);
  } else if (const auto ms = read_rfc3339(text)) {
    return *ms;
  }
  return fail(Code::kInvalidArgument,
              fmt::format("parse time: want Unix seconds or RFC 3339 (\"{:.64}\")", text));
}

}  // namespace binnacle
