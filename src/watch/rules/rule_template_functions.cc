#include "watch/rules/rule_template_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/config_units.h"
#include "base/letter_case.h"
#include "base/template_escape.h"
#include "base/template_text_functions.h"
#include "base/template_time.h"
#include "watch/rules/host_port.h"

namespace binnacle::watch::rules {
namespace {

using Args = std::span<const TemplateValue>;
using List = TemplateValue::List;

Unexpected wrong(std::string message) { return fail(Code::kInvalidArgument, std::move(message)); }

Result<std::shared_ptr<const List>> samples(std::string_view function, const TemplateValue& value) {
  const auto* list = std::get_if<std::shared_ptr<const List>>(&value.data());
  if (list) return *list;
  return wrong(fmt::format("{}: wants what query answers", function));
}

Result<TemplateValue> sample_field(std::string_view function, const TemplateValue& sample,
                                   std::string_view field) {
  const auto* object = std::get_if<std::shared_ptr<const TemplateObject>>(&sample.data());
  auto out = object ? (*object)->get(field, {}) : fail(Code::kNotFound, "");
  if (out) return out;
  return wrong(fmt::format("{}: wants a sample, as first answers", function));
}

Result<std::string> sample_label(std::string_view function, const TemplateValue& sample,
                                 std::string_view label) {
  TRY_ASSIGN(const TemplateValue labels, sample_field(function, sample, "Labels"));
  TRY_ASSIGN(const TemplateValue value, sample_field(function, labels, label));
  return template_string(function, value);
}

Result<TemplateValue> first(Args args) {
  TRY(template_want("first", args, 1));
  TRY_ASSIGN(const auto list, samples("first", args[0]));
  if (list->empty()) return wrong("first: the vector has no elements");
  return list->front();
}

Result<TemplateValue> value(Args args) {
  TRY(template_want("value", args, 1));
  return sample_field("value", args[0], "Value");
}

Result<TemplateValue> label(Args args) {
  TRY(template_want("label", args, 2));
  TRY_ASSIGN(const std::string name, template_string("label", args[0]));
  TRY_ASSIGN(std::string text, sample_label("label", args[1], name));
  return TemplateValue(std::move(text));
}

Result<TemplateValue> string_value(Args args) {
  TRY(template_want("strvalue", args, 1));
  TRY_ASSIGN(std::string text, sample_label("strvalue", args[0], "__value__"));
  return TemplateValue(std::move(text));
}

Result<TemplateValue> sort_by_label(Args args) {
  TRY(template_want("sortByLabel", args, 2));
  TRY_ASSIGN(const std::string name, template_string("sortByLabel", args[0]));
  TRY_ASSIGN(const auto list, samples("sortByLabel", args[1]));
  std::vector<std::pair<std::string, TemplateValue>> keyed;
  for (const TemplateValue& sample : *list) {
    TRY_ASSIGN(std::string key, sample_label("sortByLabel", sample, name));
    keyed.emplace_back(std::move(key), sample);
  }
  std::ranges::stable_sort(keyed, {},
                           [](const auto& pair) -> const std::string& { return pair.first; });
  List out;
  for (auto& [key, sample] : keyed) out.push_back(std::move(sample));
  return TemplateValue(std::move(out));
}

Result<TemplateValue> arguments(Args args) {
  TemplateValue::Map out;
  for (size_t i = 0; i < args.size(); ++i) out.emplace(fmt::format("arg{}", i), args[i]);
  return TemplateValue(std::move(out));
}

Result<TemplateValue> humanize(Args args) {
  TRY(template_want("humanize", args, 1));
  TRY_ASSIGN(double number, template_number("humanize", args[0]));
  if (number == 0 || !std::isfinite(number)) return TemplateValue(template_short_number(number));
  if (std::fabs(number) < 1) return TemplateValue(template_small_number(number));
  std::string_view prefix;
  constexpr std::string_view kPrefixes[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
  for (const std::string_view next : kPrefixes) {
    if (std::fabs(number) < 1000) break;
    prefix = next;
    number /= 1000;
  }
  return TemplateValue(template_short_number(number) + std::string(prefix));
}

Result<TemplateValue> humanize_1024(Args args) {
  TRY(template_want("humanize1024", args, 1));
  TRY_ASSIGN(double number, template_number("humanize1024", args[0]));
  if (std::fabs(number) <= 1 || !std::isfinite(number))
    return TemplateValue(template_short_number(number));
  std::string_view prefix;
  constexpr std::string_view kPrefixes[] = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
  for (const std::string_view next : kPrefixes) {
    if (std::fabs(number) < 1024) break;
    prefix = next;
    number /= 1024;
  }
  return TemplateValue(template_short_number(number) + std::string(prefix));
}

Result<TemplateValue> humanize_percentage(Args args) {
  TRY(template_want("humanizePercentage", args, 1));
  TRY_ASSIGN(const double number, template_number("humanizePercentage", args[0]));
  return TemplateValue(template_short_number(number * 100) + "%");
}

// Unix seconds, kept to the millisecond.
Result<TemplateTime> time_of(std::string_view function, double seconds) {
  const double nanoseconds = seconds * 1e9;
  if (!(std::fabs(nanoseconds) < 9.2e18))
    return wrong(fmt::format("{}: {} is no time that can be written", function,
                             template_short_number(seconds)));
  return TemplateTime{static_cast<int64_t>(nanoseconds) / 1'000'000 * 1'000'000, ""};
}

Result<TemplateValue> to_time(Args args) {
  TRY(template_want("toTime", args, 1));
  TRY_ASSIGN(const double seconds, template_number("toTime", args[0]));
  TRY_ASSIGN(TemplateTime time, time_of("toTime", seconds));
  return TemplateValue(std::move(time));
}

Result<TemplateValue> humanize_timestamp(Args args) {
  TRY(template_want("humanizeTimestamp", args, 1));
  TRY_ASSIGN(const double seconds, template_number("humanizeTimestamp", args[0]));
  if (!std::isfinite(seconds)) return TemplateValue(template_short_number(seconds));
  TRY_ASSIGN(const TemplateTime time, time_of("humanizeTimestamp", seconds));
  return TemplateValue(template_time_text(time));
}

Result<TemplateValue> to_duration(Args args) {
  TRY(template_want("toDuration", args, 1));
  TRY_ASSIGN(const double seconds, template_number("toDuration", args[0]));
  if (!(std::fabs(seconds) < 9.2e9)) return wrong("toDuration: beyond 292 years");
  return template_duration(static_cast<int64_t>(seconds * 1e9));
}

Result<TemplateValue> parse_duration(Args args) {
  TRY(template_want("parseDuration", args, 1));
  TRY_ASSIGN(const std::string text, template_string("parseDuration", args[0]));
  const bool negative = text.starts_with('-');
  TRY_ASSIGN(const int64_t ms, parse_duration_ms(std::string_view(text).substr(negative ? 1 : 0)));
  return TemplateValue(static_cast<double>(negative ? -ms : ms) / 1000);
}

std::string link(std::string_view expr, int tab) {
  return fmt::format("/graph?g0.expr={}&g0.tab={}", template_query_escape(expr), tab);
}

// As URLs have it: what stands between the host and the query.
std::string path_of(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) {
    const size_t slash = url.find_first_of("/?#", scheme + 3);
    url = slash == std::string_view::npos ? std::string_view() : url.substr(slash);
  }
  return std::string(url.substr(0, url.find_first_of("?#")));
}

Result<TemplateValue> query(const TemplateRun& run, Args args) {
  TRY(template_want("query", args, 1));
  TRY_ASSIGN(const std::string expr, template_string("query", args[0]));
  TRY_ASSIGN(const std::vector<RuleSample> vector, run.query(expr));
  List out;
  for (const RuleSample& sample : vector)
    out.push_back(
        template_record({{"Labels", template_labels(sample.labels)}, {"Value", sample.value}}));
  return TemplateValue(std::move(out));
}

}  // namespace

TemplateValue template_labels(model::LabelsView labels) {
  std::map<std::string, std::string, std::less<>> out;
  for (const model::Label& label : labels) out.emplace(label.name, label.value);
  return template_text_map(std::move(out));
}

TemplateFunctions rule_template_functions() {
  TemplateFunctions out = template_text_functions();
  const auto text = [&out](const char* name, std::string (*change)(std::string_view)) {
    out[name] = template_text_function(name, change);
  };
  text("title", [](std::string_view s) { return to_title(s, false); });
  text("graphLink", [](std::string_view s) { return link(s, 0); });
  text("tableLink", [](std::string_view s) { return link(s, 1); });
  text("stripPort", strip_port);
  text("stripDomain", strip_domain);
  text("urlQueryEscape", template_query_escape);
  out["first"] = first;
  out["value"] = value;
  out["label"] = label;
  out["strvalue"] = string_value;
  out["sortByLabel"] = sort_by_label;
  out["args"] = arguments;
  out["humanize"] = humanize;
  out["humanize1024"] = humanize_1024;
  out["humanizePercentage"] = humanize_percentage;
  out["humanizeTimestamp"] = humanize_timestamp;
  out["toTime"] = to_time;
  out["toDuration"] = to_duration;
  out["parseDuration"] = parse_duration;
  return out;
}

TemplateFunctions rule_run_functions(const TemplateRun& run) {
  return {
      {"query", [&run](Args args) { return query(run, args); }},
      {"now",
       [&run](Args) -> Result<TemplateValue> {
         return TemplateValue(static_cast<double>(run.at_ms) / 1000);
       }},
      {"externalURL",
       [&run](Args) -> Result<TemplateValue> { return TemplateValue(run.external_url); }},
      {"pathPrefix",
       [&run](Args) -> Result<TemplateValue> { return TemplateValue(path_of(run.external_url)); }},
  };
}

}  // namespace binnacle::watch::rules
