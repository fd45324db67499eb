#include "query/promql/text_of_values.h"

#include "base/clock.h"
#include "base/float_text.h"
#include "query/promql/literal_text.h"

namespace binnacle::query::promql {

std::string number_text(double v) {
  std::string out;
  append_float_text(out, v);
  return out;
}

std::string odd_quantile_text(double q) {
  return "quantile value should be between 0 and 1, got " + number_text(q);
}

std::string time_text(int64_t ms) {
  constexpr size_t kToSeconds = std::string_view("2026-01-02T03:04:05").size();
  return format_rfc3339(ms / 1000 * 1000).substr(0, kToSeconds) + "Z";
}

std::string labels_text(model::LabelsView labels) {
  std::string out = "{";
  for (const model::Label& label : labels) {
    if (out.size() > 1) out += ", ";
    out +=
        model::is_legacy_label_name(label.name) ? std::string(label.name) : in_quotes(label.name);
    out.push_back('=');
    out += in_quotes(label.value);
  }
  return out + "}";
}

std::string for_metric_name(std::string_view name) {
  return name.empty() ? "" : " for metric name " + in_quotes(name);
}

}  // namespace binnacle::query::promql
