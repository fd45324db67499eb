#include "watch/alerts/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

namespace binnacle::watch::alerts {
namespace {

// The library knows names of its own besides ("file:", "libc:", absolute paths), which a config
// file must not reach.
bool has_form_of_zone(const std::string& name) {
  if (name.starts_with('/') || name.find("..") != std::string::npos) return false;
  return name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
         std::string::npos;
}

bool load(const std::string& name, absl::TimeZone& zone) {
  zone = absl::UTCTimeZone();
  if (name.empty() || name == "UTC") return true;
  if (name == "Local") {
    zone = absl::LocalTimeZone();
    return true;
  }
  if (!has_form_of_zone(name) || name.starts_with("Fixed/")) return false;
  return absl::LoadTimeZone(name, &zone);
}

}  // namespace

bool is_time_zone(const std::string& name) {
  absl::TimeZone zone;
  return load(name, zone);
}

LocalTime local_time(int64_t unix_ms, const std::string& name) {
  absl::TimeZone zone;
  load(name, zone);
  const absl::CivilSecond at = absl::ToCivilSecond(absl::FromUnixMillis(unix_ms), zone);
  const absl::CivilDay day(at);
  const absl::CivilDay last = absl::CivilDay(absl::CivilMonth(at) + 1) - 1;
  LocalTime out;
  out.year = static_cast<int>(at.year());
  out.month = at.month();
  out.day = at.day();
  out.days_in_month = last.day();
  out.weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;  // the library's Monday is 0
  out.minute = at.hour() * 60 + at.minute();
  return out;
}

}  // namespace binnacle::watch::alerts
