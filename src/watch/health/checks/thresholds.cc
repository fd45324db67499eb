#include "watch/health/checks/thresholds.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/config_units.h"

namespace binnacle::watch::health {
namespace {

struct Sign {
  std::string_view text;
  Compare how;
};
// Longer ones first.
constexpr std::array<Sign, 6> kSigns{{{">=", Compare::kAtLeast},
                                      {"<=", Compare::kAtMost},
                                      {"==", Compare::kEqual},
                                      {"!=", Compare::kNotEqual},
                                      {">", Compare::kAbove},
                                      {"<", Compare::kBelow}}};

std::string_view without_spaces(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<double> number_of(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  text = without_spaces(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return percent ? value / 100 : value;
}

std::optional<double> bound_of(std::string_view text, ThresholdUnit unit) {
  if (unit == ThresholdUnit::kNumber) return number_of(text);
  const auto ms = parse_duration_ms(text);
  if (!ms) return std::nullopt;
  return static_cast<double>(*ms) / 1000;
}

std::optional<Comparison> parse(std::string_view text, std::optional<Compare> bare,
                                ThresholdUnit unit) {
  text = without_spaces(text);
  std::optional<Compare> how = bare;
  for (const Sign& sign : kSigns) {
    if (!text.starts_with(sign.text)) continue;
    how = sign.how;
    text = without_spaces(text.substr(sign.text.size()));
    break;
  }
  const auto bound = bound_of(text, unit);
  if (!how || !bound) return std::nullopt;
  return Comparison{*how, *bound};
}

bool is_upward(Compare how) { return how == Compare::kAbove || how == Compare::kAtLeast; }
bool is_downward(Compare how) { return how == Compare::kBelow || how == Compare::kAtMost; }

void read_one(YamlMap& map, std::string_view name, std::optional<Comparison>& out,
              std::optional<Compare> bare, ThresholdUnit unit) {
  const auto field = map.take(name);
  if (!field) return;
  if (field->is_null()) return out.reset();
  const auto text = field->text();
  if (!text) return;
  if (auto comparison = parse(*text, bare, unit)) {
    out = *comparison;
  } else {
    field->problem("no threshold", *text,
                   unit == ThresholdUnit::kDuration ? "write it like 500ms or \"> 2s\""
                   : bare                           ? "write it like 0.9, 90% or \"> 0.9\""
                                                    : "write it like \"> 0.9\" or \"< 7\"");
  }
}

// True when each value that is a warning is critical, too, so that no warning ever shows.
bool swallows(const Comparison& critical, const Comparison& warn) {
  if (is_upward(critical.how) && is_upward(warn.how)) return critical.bound < warn.bound;
  if (is_downward(critical.how) && is_downward(warn.how)) return critical.bound > warn.bound;
  return false;
}

}  // namespace

bool Comparison::holds(double value) const {
  switch (how) {
    case Compare::kAbove:
      return value > bound;
    case Compare::kAtLeast:
      return value >= bound;
    case Compare::kBelow:
      return value < bound;
    case Compare::kAtMost:
      return value <= bound;
    case Compare::kEqual:
      return value == bound;
    case Compare::kNotEqual:
      return value != bound;
  }
  return false;
}

std::string Comparison::text() const {
  for (const Sign& sign : kSigns) {
    if (sign.how == how) return fmt::format("{} {:.6g}", sign.text, bound);
  }
  return {};
}

std::optional<Comparison> parse_comparison(std::string_view text, std::optional<Compare> bare) {
  return parse(text, bare, ThresholdUnit::kNumber);
}

Health Thresholds::judge(double value) const {
  if (std::isnan(value)) return Health::kUnknown;
  if (critical && critical->holds(value)) return Health::kCritical;
  if (warn && warn->holds(value)) return Health::kDegraded;
  return Health::kHealthy;
}

std::string Thresholds::reason(double value) const {
  if (critical && critical->holds(value)) return critical->text();
  if (warn && warn->holds(value)) return warn->text();
  return {};
}

bool Thresholds::worse(double value, double other) const {
  const Health mine = judge(value);
  const Health theirs = judge(other);
  if (mine != theirs) return worse_of(mine, theirs) == mine;
  const auto& any = critical ? critical : warn;
  if (!any || std::isnan(value) || std::isnan(other)) return false;
  if (is_downward(any->how)) return value < other;
  if (is_upward(any->how)) return value > other;
  return std::abs(value - any->bound) > std::abs(other - any->bound);
}

void read_thresholds(YamlMap& map, Thresholds& thresholds, std::optional<Compare> bare,
                     ThresholdUnit unit) {
  read_one(map, "warn", thresholds.warn, bare, unit);
  read_one(map, "critical", thresholds.critical, bare, unit);
  if (thresholds.warn && thresholds.critical && swallows(*thresholds.critical, *thresholds.warn)) {
    map.value().problem(fmt::format("critical ({}) is reached before warn ({}): swap them",
                                    thresholds.critical->text(), thresholds.warn->text()));
  }
}

void read_thresholds(YamlMap& map, std::string_view name, Thresholds& thresholds,
                     std::optional<Compare> bare, ThresholdUnit unit) {
  const auto field = map.field(name);
  if (!field) return;
  YamlMap both(*field);
  read_thresholds(both, thresholds, bare, unit);
  both.finish();
}

Health worse_of(Health a, Health b) {
  const auto rank = [](Health health) {
    constexpr std::array<int, 5> kRanks{0, 2, 3, 4, 1};  // in the order of Health
    return kRanks[static_cast<size_t>(health)];
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace binnacle::watch::health
