#include "collect/scrape/scrape_config_yaml.h"

#include <algorithm>
#include <optional>
#include <set>

#include "collect/discovery/source_config_yaml.h"
#include "model/relabel_yaml.h"
#include "net/http_config_yaml.h"

namespace binnacle::collect::scrape {
namespace {

constexpr std::string_view kProtobuf = "PrometheusProto";
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

// nullopt: a problem or a warning says why.
std::optional<ScrapeProtocol> read_protocol(const YamlValue& at, const std::string& name) {
  const auto protocol = protocol_of(name);
  if (name == kProtobuf) {
    at.warn("PrometheusProto has no effect: protobuf is not spoken here, the text formats are");
  } else if (!protocol) {
    at.problem("unknown protocol", name,
               "one of OpenMetricsText1.0.0, OpenMetricsText0.0.1, PrometheusText1.0.0, "
               "PrometheusText0.0.4, PrometheusProto");
  }
  return protocol;
}

void read_protocols(YamlMap& map, ScrapeDefaults& out, const ScrapeDefaults& otherwise) {
  out.protocols = otherwise.protocols;
  const auto list = map.field("scrape_protocols");
  if (!list) return;
  std::set<std::string> seen;
  std::vector<ScrapeProtocol> spoken;
  for (const std::string& name : list->strings()) {
    if (const auto protocol = read_protocol(*list, name)) spoken.push_back(*protocol);
    if (!seen.insert(name).second) list->problem("stands twice", name, "keep one");
  }
  if (seen.empty()) list->problem("no protocol is named: name one or remove the field");
  if (!spoken.empty()) out.protocols = std::move(spoken);
}

void read_limits(YamlMap& map, ScrapeDefaults& out, const ScrapeDefaults& otherwise) {
  map.size("body_size_limit", out.body_size_limit);
  if (out.body_size_limit == 0) out.body_size_limit = otherwise.body_size_limit;
  const auto limit = [&](std::string_view name, uint64_t ScrapeDefaults::*field) {
    map.read(name, out.*field);
    if (out.*field == 0) out.*field = otherwise.*field;
  };
  limit("sample_limit", &ScrapeDefaults::sample_limit);
  limit("label_limit", &ScrapeDefaults::label_limit);
  limit("label_name_length_limit", &ScrapeDefaults::label_name_length_limit);
  limit("label_value_length_limit", &ScrapeDefaults::label_value_length_limit);
  limit("target_limit", &ScrapeDefaults::target_limit);
  limit("keep_dropped_targets", &ScrapeDefaults::keep_dropped_targets);
}

void read_times(YamlMap& map, ScrapeDefaults& out, const ScrapeDefaults& otherwise) {
  int64_t interval_ms = 0;
  int64_t timeout_ms = 0;
  map.duration("scrape_interval", interval_ms);
  map.duration("scrape_timeout", timeout_ms);
  out.interval_ms = interval_ms > 0 ? interval_ms : otherwise.interval_ms;
  if (timeout_ms > out.interval_ms) {
    map.value().problem("scrape_timeout is longer than scrape_interval: shorten it");
  }
  out.timeout_ms = timeout_ms > 0 ? timeout_ms : std::min(otherwise.timeout_ms, out.interval_ms);
}

// What `global` and a job share; the job takes over what it does not say.
void read_shared(YamlMap& map, ScrapeDefaults& out, const ScrapeDefaults& otherwise) {
  read_times(map, out, otherwise);
  read_limits(map, out, otherwise);
  read_protocols(map, out, otherwise);
  name_unused(map);
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
  read_shared(global, defaults, ScrapeDefaults());
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
  read_shared(map, job, defaults);
  map.read("metrics_path", job.metrics_path);
  map.choice("scheme", job.scheme, kSchemes);
  read_params(map, job);
  map.read("honor_labels", job.honor_labels);
  map.read("honor_timestamps", job.honor_timestamps);
  map.read("track_timestamps_staleness", job.track_timestamps_staleness);
  map.read("enable_compression", job.enable_compression);
  for (const char* name : {"native_histogram_bucket_limit", "native_histogram_min_bucket_factor"}) {
    map.unused(name, "has no effect: there are no native histograms here");
  }
  if (const auto fallback = map.field("fallback_scrape_protocol")) {
    if (const auto name = fallback->text()) job.fallback_protocol = read_protocol(*fallback, *name);
  }
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
