#include "watch/alerts/time_interval_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "base/time_zone.h"

namespace binnacle::watch::alerts {
namespace {

using Range = TimeInterval::Range;
using Names = std::span<const std::string_view>;

constexpr std::string_view kWeekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                          "thursday", "friday", "saturday"};
constexpr std::string_view kMonths[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};

struct Kind {
  std::string_view what;
  Names names;
  int first_name = 0;  // the number of the first name
  bool numbers = true;
  int min = 0;
  int max = 0;
};

const Kind kWeekday{"weekday", kWeekdays, 0, false, 0, 6};
const Kind kMonth{"month", kMonths, 1, true, 1, 12};
const Kind kYear{"year", {}, 0, true, 0, 9999};
const Kind kDay{"day of the month", {}, 0, true, -31, 31};

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::optional<int> member(std::string_view text, const Kind& kind) {
  if (const auto found = std::ranges::find(kind.names, text); found != kind.names.end()) {
    return kind.first_name + static_cast<int>(found - kind.names.begin());
  }
  int value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!kind.numbers || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string advice(const Kind& kind) {
  if (!kind.numbers) return fmt::format("one of {}", fmt::join(kind.names, ", "));
  const std::string range = fmt::format("{} to {}", kind.min, kind.max);
  return kind.names.empty() ? range : fmt::format("{}, or {}", range, fmt::join(kind.names, ", "));
}

// "monday:friday", "1:5", "may".
std::optional<Range> read_range(const YamlValue& at, const Kind& kind) {
  const auto word = at.text();
  if (!word) return std::nullopt;
  const std::string text = lower_case(*word);
  const size_t colon = text.find(':');
  const auto begin = member(std::string_view(text).substr(0, colon), kind);
  const auto end =
      colon == std::string::npos ? begin : member(std::string_view(text).substr(colon + 1), kind);
  const auto bad = [&](const std::optional<int>& value) {
    return !value || *value < kind.min || *value > kind.max;
  };
  if (bad(begin) || bad(end)) {
    at.problem(fmt::format("no {} or range of them", kind.what), *word, advice(kind));
    return std::nullopt;
  }
  return Range{*begin, *end};
}

std::vector<Range> read_ranges(YamlMap& map, std::string_view name, const Kind& kind) {
  std::vector<Range> out;
  const auto list = map.field(name);
  if (!list) return out;
  for (const YamlValue& item : list->items()) {
    const auto range = read_range(item, kind);
    if (!range) continue;
    if (range->begin > range->end) {
      item.problem("the range ends before it begins", *item.text(), "write the earlier one first");
    } else {
      out.push_back(*range);
    }
  }
  return out;
}

// Days count from the month's end when they are negative, so that what comes first depends on the
// month; refused is what is empty in every month.
bool is_day_range(const YamlValue& at, const Range& range) {
  constexpr int kShortestMonth = 28;
  const auto from_start = [](int day) { return day < 0 ? kShortestMonth + day : day; };
  if (range.begin == 0 || range.end == 0) {
    at.problem("days of the month begin at 1, or at -1 from its end", *at.text(), "0 is none");
  } else if (range.begin < 0 && range.end > 0) {
    at.problem("the range begins from the month's end and ends from its start", *at.text(),
               "write a negative day at the end, too");
  } else if (from_start(range.begin) > from_start(range.end)) {
    at.problem("the range ends before it begins", *at.text(), "write the earlier day first");
  } else {
    return true;
  }
  return false;
}

std::vector<Range> read_days(YamlMap& map) {
  std::vector<Range> out;
  const auto list = map.field("days_of_month");
  if (!list) return out;
  for (const YamlValue& item : list->items()) {
    const auto range = read_range(item, kDay);
    if (range && is_day_range(item, *range)) out.push_back(*range);
  }
  return out;
}

// "HH:MM", up to 24:00.
std::optional<int> minute_of_day(std::string_view text) {
  const auto digit = [&](size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + text[1] - '0';
  const int minute = (text[3] - '0') * 10 + text[4] - '0';
  if (minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return hour * 60 + minute;
}

std::optional<int> read_minute(YamlMap& map, std::string_view name) {
  const auto field = map.field(name);
  if (!field) {
    map.value().problem(fmt::format("{} is missing", name));
    return std::nullopt;
  }
  const auto text = field->text();
  const auto minute = text ? minute_of_day(*text) : std::nullopt;
  if (text && !minute) field->problem("no time of day", *text, "write it like 09:30, up to 24:00");
  return minute;
}

std::vector<Range> read_times(YamlMap& map) {
  std::vector<Range> out;
  const auto list = map.field("times");
  if (!list) return out;
  for (const YamlValue& item : list->items()) {
    YamlMap fields(item);
    const auto begin = read_minute(fields, "start_time");
    const auto end = read_minute(fields, "end_time");
    fields.finish();
    if (!begin || !end) continue;
    if (*begin >= *end) {
      item.problem("start_time is not before end_time: write two ranges for a night");
    } else {
      out.push_back({*begin, *end});
    }
  }
  return out;
}

void read_location(YamlMap& map, TimeInterval& out) {
  map.read("location", out.location);
  if (check_time_zone(out.location)) return;
  map.field("location")
      ->problem("no time zone", out.location,
                "a name of the IANA database like Europe/Berlin; the package "
                "tzdata has them");
  out.location.clear();
}

}  // namespace

std::vector<TimeInterval> read_time_intervals(const YamlValue& list) {
  std::vector<TimeInterval> out;
  for (const YamlValue& item : list.items()) {
    YamlMap map(item);
    TimeInterval& one = out.emplace_back();
    one.times = read_times(map);
    one.weekdays = read_ranges(map, "weekdays", kWeekday);
    one.days_of_month = read_days(map);
    one.months = read_ranges(map, "months", kMonth);
    one.years = read_ranges(map, "years", kYear);
    read_location(map, one);
    map.finish();
  }
  return out;
}

void read_named_intervals(const YamlValue& list, NamedIntervals& out) {
  for (const YamlValue& item : list.items()) {
    YamlMap map(item);
    std::string name;
    map.read("name", name);
    std::vector<TimeInterval> intervals;
    if (const auto field = map.field("time_intervals")) intervals = read_time_intervals(*field);
    map.finish();
    if (name.empty()) {
      item.problem("name is missing");
    } else if (!out.try_emplace(name, std::move(intervals)).second) {
      item.problem("two time intervals have this name", name, "rename one");
    }
  }
}

}  // namespace binnacle::watch::alerts
