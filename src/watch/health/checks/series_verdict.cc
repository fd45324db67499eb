#include "watch/health/checks/series_verdict.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle::watch::health {

std::string value_text(double value, std::string_view unit) {
  if (unit == "ratio") return fmt::format("{:.3g} %", value * 100);
  if (unit == "bytes") return bytes_text(value);
  if (unit == "seconds") return seconds_text(value);
  if (unit == "celsius") return fmt::format("{:.3g} °C", value);
  return fmt::format("{:.4g}{}{}", value, unit.empty() ? "" : " ", unit);
}

const SeriesValue* worst_series(const std::vector<SeriesValue>& values,
                                const Thresholds& thresholds) {
  const SeriesValue* worst = nullptr;
  for (const SeriesValue& one : values) {
    if (worst == nullptr || thresholds.worse(one.value, worst->value)) worst = &one;
  }
  return worst;
}

void judge_series(const std::vector<SeriesValue>& values, const Thresholds& thresholds,
                  std::string_view what, std::string_view unit, Verdict& verdict) {
  const SeriesValue* worst = worst_series(values, thresholds);
  if (worst == nullptr) return;
  const auto bad = std::ranges::count_if(values, [&](const SeriesValue& one) {
    return thresholds.judge(one.value) != Health::kHealthy;
  });
  std::string text(what);
  const auto append = [&text](std::string_view more) {
    if (!text.empty()) text += ' ';
    text += more;
  };
  if (values.size() > 1 && bad > 0)
    append(fmt::format("{} of {} series, worst", bad, values.size()));
  if (values.size() > 1 && bad == 0) append(fmt::format("{} series, worst", values.size()));
  if (!worst->labels.empty()) append(one_line(worst->labels, 160));
  append("is " + value_text(worst->value, unit));
  if (bad > 0) {
    verdict.judge(thresholds, worst->value, text);
  } else {
    verdict.note(text);
  }
}

}  // namespace binnacle::watch::health
