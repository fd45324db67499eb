#include "query/promql/test_script_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "model/sample.h"
#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

constexpr std::string_view kBlanks = " \t\r";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Where the metric ends and the values begin.
Result<size_t> end_of_metric(std::string_view line) {
  size_t at = 0;
  while (at < line.size() && (is_letter(line[at]) || is_digit(line[at]) || line[at] == ':')) ++at;
  const size_t brace = line.find_first_not_of(kBlanks, at);
  const bool has_labels = brace != std::string_view::npos && line[brace] == '{' &&
                          !line.substr(brace).starts_with("{{");
  if (!has_labels) {
    if (at == 0) return fail(Code::kInvalidArgument, "a series must begin with a metric or {");
    return at;
  }
  char quote = 0;
  for (at = brace + 1; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != 0) {
      if (c == '\\' && quote != '`') ++at;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '}') {
      return at + 1;
    }
  }
  return fail(Code::kInvalidArgument, "the labels have no closing }");
}

class ItemParser {
 public:
  ItemParser(std::string_view text, size_t max_values) : text_(text), max_values_(max_values) {}

  Result<std::vector<ScriptValue>> parse() {
    while (skip_blanks(), at_ < text_.size()) {
      TRY(item());
      if (at_ < text_.size() && kBlanks.find(text_[at_]) == std::string_view::npos)
        return unexpected("after a value");
    }
    return std::move(values_);
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && kBlanks.find(text_[at_]) != std::string_view::npos) ++at_;
  }
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  Unexpected unexpected(std::string_view where) const {
    return fail(Code::kInvalidArgument,
                at_ < text_.size()
                    ? fmt::format("unexpected \"{}\" {}", text_.substr(at_, 16), where)
                    : fmt::format("unexpected end {}", where));
  }

  Status add(ScriptValue value, uint64_t times) {
    if (times > max_values_ - values_.size())
      return fail(Code::kResourceExhausted,
                  fmt::format("too many values (more than {})", max_values_));
    values_.insert(values_.end(), times, value);
    return {};
  }

  Status item() {
    if (take("{{")) return histograms();
    if (take("_")) {
      uint64_t times = 1;
      if (take("x")) {
        TRY_ASSIGN(times, count());
      }
      return add({}, times);
    }
    TRY_ASSIGN(double value, number());
    if (take("x")) {
      TRY_ASSIGN(const uint64_t times, count());
      return add({ScriptValue::Kind::kFloat, value}, times + 1);
    }
    if (here() != '+' && here() != '-') return add({ScriptValue::Kind::kFloat, value}, 1);
    TRY_ASSIGN(const double delta, number());
    if (!take("x")) return unexpected("where x and a count must stand");
    TRY_ASSIGN(const uint64_t times, count());
    // By repeated addition: what rounding does to it is part of the notation.
    for (uint64_t i = 0; i <= times; ++i, value += delta)
      TRY(add({ScriptValue::Kind::kFloat, value}, 1));
    return {};
  }

  Result<uint64_t> count() {
    const char* const end = text_.data() + text_.size();
    uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc() || value > std::numeric_limits<uint32_t>::max())
      return unexpected("where a count must stand");
    at_ = static_cast<size_t>(rest - text_.data());
    return value;
  }

  Result<double> number() {
    const bool negative = here() == '-';
    if (here() == '-' || here() == '+') ++at_;
    TRY_ASSIGN(const double value, is_letter(here()) ? word() : decimal());
    return negative ? -value : value;
  }

  // An x ends it: it repeats.
  Result<double> word() {
    const size_t from = at_;
    while (is_letter(here()) && here() != 'x') ++at_;
    const std::string name = lower(text_.substr(from, at_ - from));
    if (name == "inf") return std::numeric_limits<double>::infinity();
    if (name == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (name == "stale") return model::stale_nan();
    at_ = from;
    return unexpected("where a value must stand");
  }

  Result<double> decimal() {
    double value = 0;
    const char* const end = text_.data() + text_.size();
    if (!is_digit(here()) && here() != '.') return unexpected("where a value must stand");
    const auto [rest, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc()) return unexpected("where a value must stand");
    at_ = static_cast<size_t>(rest - text_.data());
    return value;
  }

  Status histograms() {
    TRY(histogram_body());
    uint64_t times = 0;
    if (take("x")) {
      TRY_ASSIGN(times, count());
    } else if (take("+{{") || take("-{{")) {
      TRY(histogram_body());
      if (!take("x")) return unexpected("where x and a count must stand");
      TRY_ASSIGN(times, count());
    }
    return add({ScriptValue::Kind::kHistogram, 0}, times + 1);
  }

  Status histogram_body() {
    while (skip_blanks(), !take("}}")) {
      const size_t from = at_;
      while (is_letter(here())) ++at_;
      const std::string_view key = text_.substr(from, at_ - from);
      static constexpr std::array<std::string_view, 11> kKeys{
          "schema", "sum",       "count",    "z_bucket",           "z_bucket_w",   "buckets",
          "offset", "n_buckets", "n_offset", "counter_reset_hint", "custom_values"};
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
        at_ = from;
        return unexpected("in a histogram");
      }
      if (!take(":")) return unexpected("in a histogram where : must stand");
      TRY(histogram_value(key));
    }
    return {};
  }

  Status histogram_value(std::string_view key) {
    if (key == "counter_reset_hint") {
      while (is_letter(here())) ++at_;
      return {};
    }
    if (!take("[")) {
      TRY(number());
      return {};
    }
    while (skip_blanks(), !take("]")) TRY(number());
    return {};
  }

  const std::string_view text_;
  const size_t max_values_;
  size_t at_ = 0;
  std::vector<ScriptValue> values_;
};

}  // namespace

bool ScriptSeries::has_histogram() const {
  return std::any_of(values.begin(), values.end(), [](const ScriptValue& value) {
    return value.kind == ScriptValue::Kind::kHistogram;
  });
}

Result<ScriptSeries> parse_script_series(std::string_view line, size_t max_values) {
  TRY_ASSIGN(const size_t end, end_of_metric(line));
  ScriptSeries series;
  TRY_ASSIGN(series.labels, parse_metric(line.substr(0, end)));
  if (end < line.size() && kBlanks.find(line[end]) == std::string_view::npos && line[end] != '{')
    return fail(Code::kInvalidArgument,
                fmt::format("unexpected \"{}\" after the series", line.substr(end, 16)));
  TRY_ASSIGN(series.values, ItemParser(line.substr(end), max_values).parse());
  return series;
}

Result<double> parse_script_number(std::string_view text) {
  const Unexpected bad = fail(Code::kInvalidArgument, fmt::format("no number: {}", text));
  std::string digits = lower(text);
  const bool negative = digits.starts_with('-');
  if (digits.starts_with('-') || digits.starts_with('+')) digits.erase(0, 1);
  if (digits.empty() || digits.front() == '-') return bad;
  double value = 0;
  const char* const end = digits.data() + digits.size();
  if (digits.starts_with("0x")) {
    uint64_t whole = 0;
    const auto [rest, error] = std::from_chars(digits.data() + 2, end, whole, 16);
    if (error != std::errc() || rest != end) return bad;
    value = static_cast<double>(whole);
  } else {
    const auto [rest, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || rest != end) return bad;
  }
  return negative ? -value : value;
}

}  // namespace binnacle::query::promql
