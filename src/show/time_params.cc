#include "show/time_params.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/config_units.h"
#include "base/json_text.h"
#include "base/time_text.h"

namespace binnacle::show {
namespace {

constexpr size_t kQuotedBytes = 256;
constexpr double kMostSeconds = 9.2e9;  // of nanoseconds in an int64

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text.substr(0, kQuotedBytes));
  return out;
}

// The ends of time as clients of Prometheus write them, whose years have more than four digits.
constexpr std::string_view kFirstTime = "-292273086-05-16T16:47:06Z";
constexpr std::string_view kLastTime = "292277025-08-18T07:12:54.999999999Z";

Result<int64_t> time_of(std::string_view text) {
  if (text == kFirstTime) return kBeginningMs;
  if (text == kLastTime) return kEndMs;
  auto ms = parse_time_ms(text);
  if (ms) return *ms;
  return fail(Code::kInvalidArgument,
              fmt::format("cannot parse {} to a valid timestamp", in_quotes(text)));
}

}  // namespace

Result<int64_t> time_param(const net::Params& params, std::string_view name, int64_t if_absent) {
  const auto text = params.get(name);
  if (text.empty()) return if_absent;
  auto ms = time_of(text);
  if (ms) return ms;
  return fail(std::move(ms).error().with_context(
      fmt::format("invalid parameter \"{0}\": invalid time value for '{0}'", name)));
}

Result<int64_t> required_time_param(const net::Params& params, std::string_view name) {
  auto ms = time_of(params.get(name));
  if (ms) return ms;
  return fail(std::move(ms).error().with_context(fmt::format("invalid parameter \"{}\"", name)));
}

Result<TimeRange> range_params(const net::Params& params) {
  TimeRange range;
  TRY_ASSIGN(range.start_ms, time_param(params, "start", kBeginningMs));
  TRY_ASSIGN(range.end_ms, time_param(params, "end", kEndMs));
  return range;
}

Result<int64_t> duration_of(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (std::abs(seconds) <= kMostSeconds) return std::llround(seconds * 1000);
    return fail(
        Code::kInvalidArgument,
        fmt::format("cannot parse {} to a valid duration. It overflows int64", in_quotes(text)));
  }
  if (const auto ms = parse_duration_ms(text)) return *ms;
  return fail(Code::kInvalidArgument,
              fmt::format("cannot parse {} to a valid duration", in_quotes(text)));
}

}  // namespace binnacle::show
