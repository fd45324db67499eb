#include "base/config_units.h"

#include "base/check.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

namespace binnacle {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// In the order in which a duration must name them.
constexpr Unit kDurationUnits[] = {
    {"y", 365LL * 86'400'000},
    {"w", 7LL * 86'400'000},
    {"d", 86'400'000},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
};
constexpr int64_t kMaxDurationMs = 1000 * kDurationUnits[0].factor;

constexpr Unit kByteUnits[] = {
    {"PiB", int64_t{1} << 50},
    {"PB", 1'000'000'000'000'000},
    {"TiB", int64_t{1} << 40},
    {"TB", 1'000'000'000'000},
    {"GiB", int64_t{1} << 30},
    {"GB", 1'000'000'000},
    {"MiB", int64_t{1} << 20},
    {"MB", 1'000'000},
    {"KiB", int64_t{1} << 10},
    {"kB", 1'000},
    {"KB", 1'000},
    {"B", 1},
};

// Takes the digits at the front of `text`; nullopt when there are none or the number does not fit.
std::optional<int64_t> take_number(std::string_view& text) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

Unexpected bad_duration(std::string_view text) {
  return fail(Code::kInvalidArgument,
              fmt::format("bad duration ({}): write whole numbers with units y, w, d, h, m, s, ms "
                          "from large to small, for example 1h30m or 250ms",
                          text));
}

Unexpected bad_bytes(std::string_view text) {
  return fail(
      Code::kInvalidArgument,
      fmt::format("bad size ({}): write a whole number with B, kB, MB, GB, KiB, MiB or GiB, "
                  "for example 32KiB",
                  text));
}

}  // namespace

Result<int64_t> parse_duration_ms(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return bad_duration(text);
  std::string_view rest = text;
  int64_t total = 0;
  size_t next_unit = 0;
  while (!rest.empty()) {
    const auto number = take_number(rest);
    if (!number) return bad_duration(text);
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    size_t unit = next_unit;
    while (unit < std::size(kDurationUnits) && kDurationUnits[unit].name != name) ++unit;
    if (unit == std::size(kDurationUnits)) return bad_duration(text);
    const int64_t factor = kDurationUnits[unit].factor;
    if (*number > (kMaxDurationMs - total) / factor) {
      return fail(Code::kOutOfRange,
                  fmt::format("bad duration ({}): more than 1000y; write a shorter one", text));
    }
    total += *number * factor;
    rest.remove_prefix(name.size());
    next_unit = unit + 1;
  }
  return total;
}

std::string format_duration_ms(int64_t ms) {
  CHECK(ms >= 0);
  if (ms == 0) return "0s";
  std::string out;
  for (const Unit& unit : kDurationUnits) {
    // 8d reads better than 1w1d, so years and weeks stand only where they come out even.
    if (unit.factor > 86'400'000 && ms % unit.factor != 0) continue;
    if (ms >= unit.factor) out += fmt::format("{}{}", ms / unit.factor, unit.name);
    ms %= unit.factor;
  }
  return out;
}

Result<int64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return bad_bytes(text);
  if (rest.empty()) return *number;
  for (const Unit& unit : kByteUnits) {
    if (unit.name != rest) continue;
    if (*number > std::numeric_limits<int64_t>::max() / unit.factor) {
      return fail(Code::kOutOfRange,
                  fmt::format("bad size ({}): more than 2^63 bytes; write a smaller one", text));
    }
    return *number * unit.factor;
  }
  return bad_bytes(text);
}

std::string format_bytes(int64_t bytes) {
  CHECK(bytes >= 0);
  if (bytes == 0) return "0B";
  for (const Unit& unit : kByteUnits) {
    if (bytes % unit.factor == 0) return fmt::format("{}{}", bytes / unit.factor, unit.name);
  }
  return fmt::format("{}B", bytes);
}

}  // namespace binnacle
