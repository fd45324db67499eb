#include "collect/receive/otlp_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace binnacle::collect::receive {
namespace {

using Words = std::vector<std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_metric_char(char c) { return is_letter(c) || is_digit(c) || c == ':'; }
bool is_label_char(char c) { return is_letter(c) || is_digit(c); }

bool escapes(OtlpTranslation translation) {
  return translation == OtlpTranslation::kUnderscoreEscapingWithSuffixes ||
         translation == OtlpTranslation::kUnderscoreEscapingWithoutSuffixes;
}

bool adds_suffixes(OtlpTranslation translation) {
  return translation == OtlpTranslation::kUnderscoreEscapingWithSuffixes ||
         translation == OtlpTranslation::kNoUtf8EscapingWithSuffixes;
}

std::string_view in_table(std::span<const std::pair<std::string_view, std::string_view>> table,
                          std::string_view unit) {
  for (const auto& [from, to] : table) {
    if (from == unit) return to;
  }
  return unit;
}

std::string_view main_unit(std::string_view unit) {
  static constexpr std::pair<std::string_view, std::string_view> kTable[] = {{"d", "days"},
                                                                             {"h", "hours"},
                                                                             {"min", "minutes"},
                                                                             {"s", "seconds"},
                                                                             {"ms", "milliseconds"},
                                                                             {"us", "microseconds"},
                                                                             {"ns", "nanoseconds"},
                                                                             {"By", "bytes"},
                                                                             {"KiBy", "kibibytes"},
                                                                             {"MiBy", "mebibytes"},
                                                                             {"GiBy", "gibibytes"},
                                                                             {"TiBy", "tibibytes"},
                                                                             {"KBy", "kilobytes"},
                                                                             {"MBy", "megabytes"},
                                                                             {"GBy", "gigabytes"},
                                                                             {"TBy", "terabytes"},
                                                                             {"m", "meters"},
                                                                             {"V", "volts"},
                                                                             {"A", "amperes"},
                                                                             {"J", "joules"},
                                                                             {"W", "watts"},
                                                                             {"g", "grams"},
                                                                             {"Cel", "celsius"},
                                                                             {"Hz", "hertz"},
                                                                             {"1", ""},
                                                                             {"%", "percent"}};
  return in_table(kTable, unit);
}

std::string_view per_unit(std::string_view unit) {
  static constexpr std::pair<std::string_view, std::string_view> kTable[] = {
      {"s", "second"}, {"m", "minute"}, {"h", "hour"}, {"d", "day"},
      {"w", "week"},   {"mo", "month"}, {"y", "year"}};
  return in_table(kTable, unit);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n\v\f");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n\v\f") - begin + 1);
}

struct Unit {
  std::string main;  // "bytes"
  std::string per;   // "per_second"
};

// What stands in braces is a remark, not a unit.
Unit unit_of(std::string_view text) {
  Unit unit;
  const auto slash = text.find('/');
  const std::string_view main = trimmed(text.substr(0, slash));
  if (main.find_first_of("{}") == std::string_view::npos) unit.main = main_unit(main);
  if (slash == std::string_view::npos) return unit;
  const std::string_view per = trimmed(text.substr(slash + 1));
  if (per.empty() || per.find_first_of("{}") != std::string_view::npos) return unit;
  unit.per = fmt::format("per_{}", per_unit(per));
  return unit;
}

// One underscore for each run of characters that a metric's name may not have, none in front.
std::string clean_unit(std::string_view unit) {
  std::string out;
  for (const char c : unit) {
    if (is_metric_char(c)) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != '_') {
      out.push_back('_');
    }
  }
  return out;
}

std::string without_last_underscore(std::string text) {
  if (text.ends_with('_')) text.pop_back();
  return text;
}

Words words_of(std::string_view name, bool underscore_parts) {
  Words words;
  bool in_word = false;
  for (const char c : name) {
    const bool part = is_metric_char(c) || (c == '_' && !underscore_parts);
    if (part && !in_word) words.emplace_back();
    if (part) words.back().push_back(c);
    in_word = part;
  }
  return words;
}

bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void put_last(Words& words, std::string_view word) {
  std::erase(words, word);
  words.emplace_back(word);
}

void add_unit(Words& words, std::string_view text) {
  const Unit unit = unit_of(text);
  std::string main = clean_unit(unit.main);
  std::string per = clean_unit(unit.per);
  if (has(words, main)) main.clear();
  per = per == "per_" ? "" : without_last_underscore(std::move(per));
  if (has(words, per)) per.clear();
  if (!per.empty()) main = without_last_underscore(std::move(main));
  if (!main.empty()) words.push_back(std::move(main));
  if (!per.empty()) words.push_back(std::move(per));
}

bool is_counter(const OtlpMetric& metric) {
  return metric.kind == OtlpKind::kSum && metric.monotonic;
}
bool is_ratio(const OtlpMetric& metric) {
  return metric.kind == OtlpKind::kGauge && metric.unit == "1";
}

std::string escaped_name(const OtlpMetric& metric, bool suffixes) {
  Words words = words_of(metric.name, suffixes);
  if (suffixes) {
    add_unit(words, metric.unit);
    if (is_counter(metric)) put_last(words, "total");
    if (is_ratio(metric)) put_last(words, "ratio");
  }
  std::string name = fmt::format("{}", fmt::join(words, "_"));
  if (!name.empty() && is_digit(name.front())) name.insert(name.begin(), '_');
  return name;
}

// Takes a suffix off together with what parts it from the name.
void cut_suffix(std::string& name, std::string_view suffix) {
  if (name.ends_with(suffix) && name.size() > suffix.size() + 1)
    name.resize(name.size() - suffix.size() - 1);
}

std::string suffixed_name(const OtlpMetric& metric) {
  std::string name(metric.name);
  const Unit unit = unit_of(metric.unit);
  if (is_ratio(metric)) cut_suffix(name, "ratio");
  if (is_counter(metric)) cut_suffix(name, "total");
  if (!unit.per.empty()) cut_suffix(name, unit.per);
  if (!unit.main.empty() && !name.ends_with(unit.main)) name += "_" + unit.main;
  if (!unit.per.empty()) name += "_" + unit.per;
  if (is_counter(metric)) name += "_total";
  if (is_ratio(metric)) name += "_ratio";
  return name;
}

bool only_underscores(std::string_view text) {
  return text.find_first_not_of('_') == std::string_view::npos;
}

Unexpected no_name(std::string_view what, std::string_view from) {
  return fail(Code::kInvalidArgument,
              fmt::format("{} \"{:.64}\" leaves no name for Prometheus", what, from));
}

// `__a__` is reserved and keeps its underscores; else runs of them become one.
std::string escaped_label(std::string_view attribute) {
  const bool reserved =
      attribute.size() >= 4 && attribute.starts_with("__") && attribute.ends_with("__");
  if (reserved) attribute = attribute.substr(2, attribute.size() - 4);
  std::string out;
  for (size_t i = 0; i < attribute.size(); ++i) {
    const char c = attribute[i];
    // One underscore stands for a whole character, however many bytes it has.
    if ((static_cast<unsigned char>(c) & 0xc0) == 0x80) continue;
    if (is_label_char(c)) {
      out.push_back(c);
    } else if (out.empty() || out.back() != '_') {
      out.push_back('_');
    }
  }
  return reserved ? "__" + out + "__" : out;
}

}  // namespace

Result<OtlpTranslation> otlp_translation_from_name(std::string_view name) {
  if (name == "UnderscoreEscapingWithSuffixes")
    return OtlpTranslation::kUnderscoreEscapingWithSuffixes;
  if (name == "UnderscoreEscapingWithoutSuffixes")
    return OtlpTranslation::kUnderscoreEscapingWithoutSuffixes;
  if (name == "NoUTF8EscapingWithSuffixes") return OtlpTranslation::kNoUtf8EscapingWithSuffixes;
  if (name == "NoTranslation") return OtlpTranslation::kNoTranslation;
  return fail(Code::kInvalidArgument, fmt::format("no translation strategy (\"{:.64}\")", name));
}

Result<std::string> otlp_metric_name(const OtlpMetric& metric, OtlpTranslation translation) {
  std::string name;
  if (escapes(translation)) {
    name = escaped_name(metric, adds_suffixes(translation));
    if (name != metric.name && only_underscores(name)) return no_name("metric", metric.name);
  } else {
    name = adds_suffixes(translation) ? suffixed_name(metric) : std::string(metric.name);
  }
  if (name.empty() || metric.name.empty()) return no_name("metric", metric.name);
  return name;
}

Result<std::string> otlp_label_name(std::string_view attribute, OtlpTranslation translation) {
  std::string name = escapes(translation) ? escaped_label(attribute) : std::string(attribute);
  if (only_underscores(name)) return no_name("attribute", attribute);
  if (escapes(translation) && is_digit(name.front())) name.insert(0, "key_");
  return name;
}

std::string otlp_unit_name(std::string_view unit) {
  const Unit parts = unit_of(unit);
  const std::string main = clean_unit(parts.main);
  const std::string per = clean_unit(parts.per);
  const bool both = !main.empty() && !per.empty();
  return without_last_underscore(main + (both ? "_" : "") + per);
}

}  // namespace binnacle::collect::receive
