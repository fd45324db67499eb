#include "base/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace binnacle {
namespace {

// The library knows names that are paths or begin with "file:" or "libc:"; a template must not
// reach them.
bool has_form_of_zone(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_+-/").find(c) != std::string_view::npos;
  };
  return !name.starts_with('/') && !name.starts_with("Fixed/") &&
         std::all_of(name.begin(), name.end(), fits);
}

Result<absl::TimeZone> load(const std::string& zone) {
  if (zone.empty() || zone == "UTC") return absl::UTCTimeZone();
  if (zone == "Local") return absl::LocalTimeZone();
  absl::TimeZone out;
  if (!has_form_of_zone(zone) || !absl::LoadTimeZone(zone, &out))
    return fail(
        Code::kNotFound,
        fmt::format("unknown time zone {:?}: give an IANA name, as \"Europe/Berlin\"", zone));
  return out;
}

}  // namespace

Status check_time_zone(const std::string& zone) {
  TRY(load(zone));
  return {};
}

Result<CivilTime> civil_time(int64_t unix_s, const std::string& zone) {
  TRY_ASSIGN(const absl::TimeZone loaded, load(zone));
  const absl::TimeZone::CivilInfo info = loaded.At(absl::FromUnixSeconds(unix_s));
  CivilTime out;
  out.year = info.cs.year();
  out.month = info.cs.month();
  out.day = info.cs.day();
  out.hour = info.cs.hour();
  out.minute = info.cs.minute();
  out.second = info.cs.second();
  // absl counts from Monday 0.
  out.weekday = (static_cast<int>(absl::GetWeekday(info.cs)) + 1) % 7;
  out.year_day = absl::GetYearDay(absl::CivilDay(info.cs));
  out.offset_s = info.offset;
  out.zone = info.zone_abbr;
  return out;
}

int64_t unix_seconds(const CivilTime& utc) {
  return absl::CivilSecond(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second) -
         absl::CivilSecond(1970);
}

}  // namespace binnacle
