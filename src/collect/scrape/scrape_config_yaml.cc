#include "collect/scrape/scrape_config_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "collect/discovery/source_config_yaml.h"
#include "model/relabel_yaml.h"
#include "net/http_config_yaml.h"

namespace binnacle::collect::scrape {
namespace {

constexpr std::string_view kProtocols[] = {"PrometheusProto", "OpenMetricsText0.0.1",
                                           "OpenMetricsText1.0.0", "PrometheusText0.0.4",
                                           "PrometheusText1.0.0"};
constexpr std::string_view kSchemes[] = {"http", "https"};

// Known, and of no effect: what the two sections share.
void name_unused(YamlMap& map) {
  constexpr std::string_view kHistograms =
      "has no effect: histograms are stored as classic series, as the text formats bring them";
  constexpr std::string_view kNames = "has no effect: every name in UTF-8 is taken as it comes";
  for (const char* name :
       {"scrape_native_histograms", "scrape_classic_histograms", "always_scrape_classic_histograms",
        "convert_classic_histograms_to_nhcb"}) {
    map.unused(name, kHistograms);
  }
  map.unused("metric_name_validation_scheme", kNames);
  map.unused("metric_name_escaping_scheme", kNames);
  map.unused("scrape_failure_log_file", "has no effect: failures are shown with the targets");
  map.unused("extra_scrape_metrics", "has no effect: only Prometheus' usual scrape_* series exist");
}

void check_protocol(const YamlValue& at, const std::string& protocol) {
  if (std::ranges::find(kProtocols, protocol) != std::end(kProtocols)) return;
  at.problem("unknown protocol", protocol, fmt::format("one of {}", fmt::join(kProtocols, ", ")));
}

void read_protocols(YamlMap& map) {
  constexpr std::string_view kNoEffect =
      "has no effect: OpenMetrics 1.0 and text 0.0.4 are asked for, and the answer's own type "
      "counts";
  if (const auto list = map.field("scrape_protocols")) {
    std::set<std::string> seen;
    const auto names = list->strings();
    for (const std::string& protocol : names) {
      check_protocol(*list, protocol);
      if (!seen.insert(protocol).second) list->problem("stands twice", protocol, "keep one");
    }
    if (names.empty()) list->problem("no protocol is named: name one or remove the field");
    map.unused("scrape_protocols", kNoEffect);
  }
  if (const auto fallback = map.field("fallback_scrape_protocol")) {
    if (const auto protocol = fallback->text()) check_protocol(*fallback, *protocol);
    map.unused("fallback_scrape_protocol", kNoEffect);
  }
}

void read_limits(YamlMap& map, JobConfig& job, const ScrapeDefaults& defaults) {
  const auto limit = [&map](std::string_view name, uint64_t& out, uint64_t otherwise) {
    map.read(name, out);
    if (out == 0) out = otherwise;
  };
  map.size("body_size_limit", job.body_size_limit);
  if (job.body_size_limit == 0) job.body_size_limit = defaults.body_size_limit;
  limit("sample_limit", job.sample_limit, defaults.sample_limit);
  limit("label_limit", job.label_limit, defaults.label_limit);
  limit("label_name_length_limit", job.label_name_length_limit, defaults.label_name_length_limit);
  limit("label_value_length_limit", job.label_value_length_limit,
        defaults.label_value_length_limit);
  limit("target_limit", job.target_limit, defaults.target_limit);
  limit("keep_dropped_targets", job.keep_dropped_targets, defaults.keep_dropped_targets);
  for (const char* name : {"native_histogram_bucket_limit", "native_histogram_min_bucket_factor"}) {
    map.unused(name, "has no effect: there are no native histograms here");
  }
}

void read_times(YamlMap& map, JobConfig& job, const ScrapeDefaults& defaults) {
  int64_t interval_ms = 0;
  int64_t timeout_ms = 0;
  map.duration("scrape_interval", interval_ms);
  map.duration("scrape_timeout", timeout_ms);
  job.interval_ms = interval_ms > 0 ? interval_ms : defaults.interval_ms;
  if (timeout_ms > job.interval_ms) {
    map.value().problem("scrape_timeout is longer than scrape_interval: shorten it");
  }
  job.timeout_ms = timeout_ms > 0 ? timeout_ms : std::min(defaults.timeout_ms, job.interval_ms);
}

// A map of names to lists of values.
void read_params(YamlMap& map, JobConfig& job) {
  const auto field = map.field("params");
  if (!field) return;
  YamlMap params(*field);
  for (const std::string& name : params.names()) {
    for (std::string& value : params.take(name)->strings())
      job.params.emplace_back(name, std::move(value));
  }
}

}  // namespace

ScrapeDefaults read_scrape_defaults(YamlMap& global) {
  ScrapeDefaults defaults;
  const ScrapeDefaults built_in;
  int64_t timeout_ms = 0;
  global.duration("scrape_interval", defaults.interval_ms);
  global.duration("scrape_timeout", timeout_ms);
  if (defaults.interval_ms == 0) defaults.interval_ms = built_in.interval_ms;
  if (timeout_ms > defaults.interval_ms) {
    global.value().problem("scrape_timeout is longer than scrape_interval: shorten it");
  }
  defaults.timeout_ms =
      timeout_ms > 0 ? timeout_ms : std::min(built_in.timeout_ms, defaults.interval_ms);
  global.size("body_size_limit", defaults.body_size_limit);
  global.read("sample_limit", defaults.sample_limit);
  global.read("label_limit", defaults.label_limit);
  global.read("label_name_length_limit", defaults.label_name_length_limit);
  global.read("label_value_length_limit", defaults.label_value_length_limit);
  global.read("target_limit", defaults.target_limit);
  global.read("keep_dropped_targets", defaults.keep_dropped_targets);
  read_protocols(global);
  name_unused(global);
  return defaults;
}

ScrapeConfig read_scrape_config(const YamlValue& value, const ScrapeDefaults& defaults) {
  ScrapeConfig config;
  if (value.is_null()) {
    value.problem("empty scrape config: fill it in or remove it");
    return config;
  }
  YamlMap map(value);
  JobConfig& job = config.job;
  map.read("job_name", job.job_name);
  read_times(map, job, defaults);
  map.read("metrics_path", job.metrics_path);
  map.choice("scheme", job.scheme, kSchemes);
  read_params(map, job);
  map.read("honor_labels", job.honor_labels);
  map.read("honor_timestamps", job.honor_timestamps);
  map.read("track_timestamps_staleness", job.track_timestamps_staleness);
  map.read("enable_compression", job.enable_compression);
  read_limits(map, job, defaults);
  read_protocols(map);
  name_unused(map);
  job.http = net::read_http_config(map);
  config.sources = discovery::read_sources(map);
  if (const auto rules = map.field("relabel_configs")) {
    job.relabel = model::read_relabel_rules(*rules);
  } else {
    discovery::check_static_targets(map, config.sources);
  }
  if (const auto rules = map.field("metric_relabel_configs")) {
    job.metric_relabel = model::read_relabel_rules(*rules);
  }
  map.finish();
  if (job.job_name.empty()) value.problem("job_name is missing");
  return config;
}

}  // namespace binnacle::collect::scrape
