#include "base/template_text_functions.h"

#include "base/letter_case.h"
#include "base/regex_replace.h"
#include "base/template_format.h"
#include "base/template_format_number.h"
#include "base/template_safe_text.h"
#include "base/template_time.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>

namespace binnacle {
namespace {

using Args = std::span<const TemplateValue>;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// Regexes come from templates, which operators write; RE2 bounds what they cost.
Result<std::unique_ptr<re2::RE2>> compile(std::string_view function, const TemplateValue& pattern) {
  TRY_ASSIGN(const std::string text, template_string(function, pattern));
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_unique<re2::RE2>(text, options);
  if (!regex->ok())
    return fail(Code::kInvalidArgument, fmt::format("{}: the regex {:?} does not parse: {}",
                                                    function, text, regex->error()));
  return regex;
}

Result<TemplateValue> match(Args args) {
  TRY(template_want("match", args, 2));
  TRY_ASSIGN(const auto regex, compile("match", args[0]));
  TRY_ASSIGN(const std::string text, template_string("match", args[1]));
  return TemplateValue(re2::RE2::PartialMatch(piece(text), *regex));
}

Result<TemplateValue> replace_all(Args args) {
  TRY(template_want("reReplaceAll", args, 3));
  TRY_ASSIGN(const auto regex, compile("reReplaceAll", args[0]));
  TRY_ASSIGN(const std::string replacement, template_string("reReplaceAll", args[1]));
  TRY_ASSIGN(const std::string text, template_string("reReplaceAll", args[2]));
  return TemplateValue(regex_replace_all(*regex, text, replacement, kMaxTemplateTextBytes));
}

Result<TemplateValue> safe_html(Args args) {
  TRY(template_want("safeHtml", args, 1));
  TRY_ASSIGN(std::string text, template_string("safeHtml", args[0]));
  return template_safe_text(std::move(text));
}

std::string days_to_seconds(double magnitude) {
  // Beyond what an int64_t holds Go's conversion gives its smallest value; nobody waits that long.
  const auto whole = static_cast<int64_t>(std::min(magnitude, 9e18));
  const int64_t days = whole / 86400;
  const int64_t hours = whole / 3600 % 24;
  const int64_t minutes = whole / 60 % 60;
  const int64_t seconds = whole % 60;
  if (days != 0) return fmt::format("{}d {}h {}m {}s", days, hours, minutes, seconds);
  if (hours != 0) return fmt::format("{}h {}m {}s", hours, minutes, seconds);
  if (minutes != 0) return fmt::format("{}m {}s", minutes, seconds);
  return template_short_number(magnitude) + "s";
}

Result<TemplateValue> humanize_duration(Args args) {
  TRY(template_want("humanizeDuration", args, 1));
  TRY_ASSIGN(const double seconds, template_number("humanizeDuration", args[0]));
  if (!std::isfinite(seconds)) return TemplateValue(template_short_number(seconds));
  if (seconds == 0) return TemplateValue(template_short_number(seconds) + "s");
  if (std::fabs(seconds) < 1) return TemplateValue(template_small_number(seconds) + "s");
  return TemplateValue((seconds < 0 ? "-" : "") + days_to_seconds(std::fabs(seconds)));
}

// strconv.ParseFloat: a number, "Inf" or "NaN" in any case.
Result<double> parse_float(std::string_view function, const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::string plain = to_lower(negative || text.starts_with('+') ? text.substr(1) : text);
  if (plain == "nan") return std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  if (plain == "inf" || plain == "infinity") return negative ? -infinity : infinity;
  const bool hexadecimal = plain.starts_with("0x");
  const std::string digits = hexadecimal ? plain.substr(2) : plain;
  double value = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), value,
                      hexadecimal ? std::chars_format::hex : std::chars_format::general);
  const bool whole = read.ptr == digits.data() + digits.size() && read.ec == std::errc();
  if (whole && !digits.empty() && digits[0] != '-') return negative ? -value : value;
  return fail(Code::kInvalidArgument, fmt::format("{}: {:?} is not a number", function, text));
}

}  // namespace

Status template_want(std::string_view function, Args args, size_t count) {
  if (args.size() == count) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{}: wants {} arguments, has {}", function, count, args.size()));
}

Result<std::string> template_string(std::string_view function, const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.data())) return *text;
  const auto* object = std::get_if<std::shared_ptr<const TemplateObject>>(&value.data());
  const auto* safe = object ? dynamic_cast<const SafeText*>(object->get()) : nullptr;
  if (safe) return safe->text();
  return fail(Code::kInvalidArgument,
              fmt::format("{}: wants a string, not {}", function, template_type_name(value)));
}

Result<double> template_number(std::string_view function, const TemplateValue& value) {
  if (const auto* number = std::get_if<double>(&value.data())) return *number;
  if (const auto* whole = std::get_if<int64_t>(&value.data())) return static_cast<double>(*whole);
  if (const auto* text = std::get_if<std::string>(&value.data()))
    return parse_float(function, *text);
  if (const auto duration = template_duration_ns(value))
    return static_cast<double>(*duration) / 1e9;
  return fail(Code::kInvalidArgument,
              fmt::format("{}: {} is not a number", function, template_type_name(value)));
}

TemplateFunction template_text_function(std::string_view function,
                                        std::string (*change)(std::string_view)) {
  return [name = std::string(function), change](Args args) -> Result<TemplateValue> {
    TRY(template_want(name, args, 1));
    TRY_ASSIGN(const std::string text, template_string(name, args[0]));
    return TemplateValue(change(text));
  };
}

TemplateFunctions template_text_functions() {
  return {
      {"toUpper", template_text_function("toUpper", to_upper)},
      {"toLower", template_text_function("toLower", to_lower)},
      {"match", match},
      {"reReplaceAll", replace_all},
      {"safeHtml", safe_html},
      {"humanizeDuration", humanize_duration},
  };
}

std::string template_short_number(double value) {
  FormatSpec spec;
  spec.verb = 'g';
  spec.precision = 4;
  return *format_float(value, spec);
}

std::string template_small_number(double value) {
  std::string_view prefix;
  constexpr std::string_view kPrefixes[] = {"m", "u", "n", "p", "f", "a", "z", "y"};
  for (const std::string_view next : kPrefixes) {
    if (std::fabs(value) >= 1) break;
    prefix = next;
    value *= 1000;
  }
  return template_short_number(value) + std::string(prefix);
}

}  // namespace binnacle
