#include "collect/receive/push_json.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "base/float_text.h"
#include "base/json_text.h"

namespace binnacle::collect::receive {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

void append_labels(std::string& out, model::LabelsView labels) {
  out.push_back('{');
  for (const auto& [name, value] : labels) {
    if (name == model::kMetricName) continue;
    if (out.back() != '{') out.push_back(',');
    append_json_string(out, name);
    out.push_back(':');
    append_json_string(out, value);
  }
  out.push_back('}');
}

void append_value(std::string& out, model::LabelsView labels, double value) {
  out += R"({"labels":)";
  append_labels(out, labels);
  out += R"(,"value":")";
  append_float_text(out, value);
  out += R"("})";
}

void append_family(std::string& out, std::string_view name, const PushedFamily& family,
                   int64_t pushed_ms) {
  append_json_string(out, name);
  out += fmt::format(R"(:{{"time_stamp":"{}","type":"{}","help":)", format_rfc3339(pushed_ms),
                     upper(push_type_name(family.metadata.type)));
  append_json_string(out, family.metadata.help);
  out += R"(,"metrics":[)";
  for (const PushedSeries& series : family.series) {
    if (out.back() == '}') out.push_back(',');
    append_value(out, series.labels, series.value);
  }
  out += "]}";
}

// The gateway's own two series, in the shape of pushed ones.
PushedFamily own_family(const PushGroup& group, std::string_view help, int64_t ms) {
  PushedFamily family;
  family.metadata = {model::MetricType::kGauge, std::string(help), ""};
  family.series.push_back({group.key, group.key, static_cast<double>(ms) / 1000});
  return family;
}

}  // namespace

std::string_view push_type_name(model::MetricType type) {
  switch (type) {
    case model::MetricType::kCounter:
      return "counter";
    case model::MetricType::kGauge:
      return "gauge";
    case model::MetricType::kHistogram:
      return "histogram";
    case model::MetricType::kSummary:
      return "summary";
    case model::MetricType::kGaugeHistogram:
      return "gaugehistogram";
    case model::MetricType::kInfo:
      return "info";
    case model::MetricType::kStateset:
      return "stateset";
    case model::MetricType::kUnknown:
      break;
  }
  return "untyped";
}

void append_push_json(std::string& out, const PushGroup& group) {
  out += R"({"labels":)";
  append_labels(out, group.key);
  out += fmt::format(R"(,"last_push_successful":{},)", group.pushed_ms >= group.failed_ms);
  for (const auto& [name, family] : group.families) {
    append_family(out, name, family, group.pushed_ms);
    out.push_back(',');
  }
  append_family(out, kPushFailureSeconds,
                own_family(group, "When a push was refused last.", group.failed_ms),
                group.pushed_ms);
  out.push_back(',');
  append_family(out, kPushTimeSeconds,
                own_family(group, "When a push was taken last.", group.pushed_ms), group.pushed_ms);
  out.push_back('}');
}

}  // namespace binnacle::collect::receive
