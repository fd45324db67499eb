#include "watch/alerts/template_functions.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/letter_case.h"
#include "base/template_escape.h"
#include "base/template_text_functions.h"
#include "base/template_time.h"
#include "base/time_zone.h"
#include "net/base64.h"
#include "watch/alerts/template_data.h"
#include "watch/alerts/template_defaults.h"

namespace binnacle::watch::alerts {
namespace {

using Args = std::span<const TemplateValue>;
using List = TemplateValue::List;

Unexpected wrong(std::string message) { return fail(Code::kInvalidArgument, std::move(message)); }

Result<TemplateTime> time_arg(std::string_view function, const TemplateValue& value) {
  if (const auto* time = std::get_if<TemplateTime>(&value.data())) return *time;
  return wrong(fmt::format("{}: wants a time", function));
}

std::string trim_space(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kSpaces) - first + 1));
}

Result<TemplateValue> join(Args args) {
  TRY(template_want("join", args, 2));
  TRY_ASSIGN(const std::string separator, template_string("join", args[0]));
  TRY_ASSIGN(const std::vector<std::string> texts, template_strings("join", args[1]));
  return TemplateValue(fmt::format("{}", fmt::join(texts, separator)));
}

Result<TemplateValue> safe_url(Args args) {
  TRY(template_want("safeUrl", args, 1));
  TRY_ASSIGN(std::string text, template_string("safeUrl", args[0]));
  return template_safe_text(std::move(text));
}

Result<TemplateValue> url_unescape(Args args) {
  TRY(template_want("urlUnescape", args, 1));
  TRY_ASSIGN(const std::string text, template_string("urlUnescape", args[0]));
  TRY_ASSIGN(std::string out, template_query_unescape(text));
  return TemplateValue(std::move(out));
}

Result<TemplateValue> string_slice(Args args) {
  List out;
  for (const TemplateValue& arg : args) {
    TRY_ASSIGN(std::string text, template_string("stringSlice", arg));
    out.emplace_back(std::move(text));
  }
  return TemplateValue(std::move(out));
}

Result<TemplateValue> date(Args args) {
  TRY(template_want("date", args, 2));
  TRY_ASSIGN(const std::string layout, template_string("date", args[0]));
  TRY_ASSIGN(const TemplateTime time, time_arg("date", args[1]));
  TRY_ASSIGN(std::string text, format_template_time(time, layout));
  return TemplateValue(std::move(text));
}

Result<TemplateValue> tz(Args args) {
  TRY(template_want("tz", args, 2));
  TRY_ASSIGN(std::string zone, template_string("tz", args[0]));
  TRY_ASSIGN(TemplateTime time, time_arg("tz", args[1]));
  TRY(check_time_zone(zone));
  time.zone = std::move(zone);
  return TemplateValue(std::move(time));
}

Result<TemplateValue> to_json(Args args) {
  TRY(template_want("toJson", args, 1));
  TRY_ASSIGN(std::string text, template_json(args[0]));
  return TemplateValue(std::move(text));
}

// The alphabet of URLs, so that the text can stand in a query.
std::string encode_url_base64(std::string_view text) {
  std::string out = net::encode_base64(text);
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

Result<TemplateValue> decode_url_base64(Args args) {
  TRY(template_want("base64decode", args, 1));
  TRY_ASSIGN(std::string text, template_string("base64decode", args[0]));
  const bool foreign = text.find_first_of("+/") != std::string::npos;
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  auto out = foreign ? std::nullopt : net::decode_base64(text);
  if (!out) return wrong("base64decode: not base64 of the alphabet for URLs");
  return TemplateValue(*std::move(out));
}

Result<TemplateValue> append(Args args) {
  const auto* list =
      args.empty() ? nullptr : std::get_if<std::shared_ptr<const List>>(&args[0].data());
  if (!list) return wrong("append: wants a list first");
  List out = **list;
  out.insert(out.end(), args.begin() + 1, args.end());
  return TemplateValue(std::move(out));
}

Result<TemplateValue> dict(Args args) {
  if (args.size() % 2 != 0) return wrong("dict: wants a value for each key");
  TemplateValue::Map out;
  for (size_t i = 0; i < args.size(); i += 2) {
    TRY_ASSIGN(std::string key, template_string("dict", args[i]));
    out.insert_or_assign(std::move(key), args[i + 1]);
  }
  return TemplateValue(std::move(out));
}

}  // namespace

TemplateFunctions notification_functions(const Clock& clock) {
  TemplateFunctions out = template_text_functions();
  const auto text = [&out](const char* name, std::string (*change)(std::string_view)) {
    out[name] = template_text_function(name, change);
  };
  text("title", [](std::string_view s) { return to_title(s, true); });
  text("trimSpace", trim_space);
  text("base64encode", encode_url_base64);
  out["base64decode"] = decode_url_base64;
  out["join"] = join;
  out["safeUrl"] = safe_url;
  out["urlUnescape"] = url_unescape;
  out["stringSlice"] = string_slice;
  out["date"] = date;
  out["tz"] = tz;
  out["toJson"] = to_json;
  out["list"] = [](Args args) { return TemplateValue(List(args.begin(), args.end())); };
  out["append"] = append;
  out["dict"] = dict;
  out["now"] = [&clock](Args) { return TemplateValue(TemplateTime{clock.wall_ns(), ""}); };
  out["since"] = [&clock](Args args) -> Result<TemplateValue> {
    TRY(template_want("since", args, 1));
    TRY_ASSIGN(const TemplateTime time, time_arg("since", args[0]));
    const TemplateValue arg(time);
    return template_time_method({clock.wall_ns(), ""}, "Sub", {&arg, 1});
  };
  return out;
}

Result<std::shared_ptr<const TemplateSet>> notification_templates(
    const std::vector<std::string>& files, FileSystem& file_system, const Clock& clock) {
  auto set = std::make_shared<TemplateSet>(notification_functions(clock));
  TRY(set->add("defaults", default_templates()));
  for (const std::string& file : files) {
    TRY_ASSIGN(const std::string text, file_system.read_file(file));
    TRY(set->add(file, text));
  }
  return std::shared_ptr<const TemplateSet>(std::move(set));
}

}  // namespace binnacle::watch::alerts
