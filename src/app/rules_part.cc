#include "app/rules_part.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/objectives.h"
#include "base/config_yaml.h"
#include "base/glob.h"
#include "base/trailing_slash.h"
#include "collect/discovery/source_factory.h"
#include "watch/rules/default_rules.h"
#include "watch/rules/rule_templates.h"

namespace binnacle::app {

using collect::discovery::DiscoveryJob;
using collect::discovery::PodEnvironment;
using watch::rules::AlertmanagerSpec;
using watch::rules::ConfiguredGroup;
using watch::rules::GroupSettings;
using watch::rules::RuleFileOptions;
using watch::rules::RuleGroup;

namespace {

watch::rules::RuleServiceOptions service_options(const Config& config) {
  return {.threads = static_cast<size_t>(config.get_int("rules.threads"))};
}

watch::rules::AlertmanagerOptions alertmanager_options(const Config& config) {
  return {.queue_capacity = static_cast<size_t>(config.get_int("rules.notify_queue"))};
}

RuleFileOptions rule_file_options(bool experimental) {
  return {.experimental = experimental, .check_template = watch::rules::check_rule_template};
}

// Of both configurations; our own wins.
model::Labels external_labels(const Config& config, const PrometheusFile& prometheus) {
  model::LabelsBuilder labels(prometheus.global.external_labels);
  for (const auto& [name, value] : config.get_map("storage.external_labels"))
    labels.set(name, value);
  return labels.build();
}

GroupSettings group_settings(const Config& config, const PrometheusFile& prometheus,
                             const std::string& external_url) {
  GroupSettings settings;
  settings.evaluation_interval_ms = config.get_duration_ms("rules.evaluation_interval");
  settings.query_offset_ms = config.get_duration_ms("rules.query_offset");
  settings.resend_delay_ms = config.get_duration_ms("rules.resend_delay");
  settings.outage_tolerance_ms = config.get_duration_ms("rules.outage_tolerance");
  settings.for_grace_period_ms = config.get_duration_ms("rules.for_grace_period");
  settings.external_labels = external_labels(config, prometheus);
  settings.external_url = without_trailing_slash(external_url);
  return settings;
}

// Reads files one by one and keeps all that is wrong with them. Lives for one reading.
class GroupReader {
 public:
  GroupReader(FileSystem& files, RuleFileOptions options)
      : files_(files), options_(std::move(options)) {}

  void read_pattern(const std::string& pattern, bool must_be_there, const GroupSettings& settings) {
    const std::vector<std::string> paths = expand_glob(files_, pattern);
    const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
    if (paths.empty() && !is_pattern && must_be_there)
      problems_.push_back(fmt::format("rules.files ({}): no such file", pattern));
    for (const std::string& path : paths) {
      if (seen_.insert(path).second) read(path, settings);
    }
  }

  void take(Result<std::vector<RuleGroup>> groups, const GroupSettings& settings) {
    if (!groups) {
      problems_.push_back(groups.error().message);
      return;
    }
    for (RuleGroup& group : *groups) groups_.push_back({std::move(group), settings});
  }

  Result<std::vector<ConfiguredGroup>> done() && {
    if (problems_.empty()) return std::move(groups_);
    return fail(Code::kInvalidArgument, fmt::format("{}", fmt::join(problems_, "\n")));
  }

  const RuleFileOptions& options() const { return options_; }

 private:
  void read(const std::string& path, const GroupSettings& settings) {
    const auto text = files_.read_file(path, kMaxConfigBytes);
    if (!text) {
      const bool large = text.error().code == Code::kOutOfRange;
      problems_.push_back(text.error().message +
                          (large ? ": split it; rules.files takes many files" : ""));
      return;
    }
    take(watch::rules::read_rule_file(*text, path, options_), settings);
  }

  FileSystem& files_;
  const RuleFileOptions options_;
  std::set<std::string> seen_;
  std::vector<ConfiguredGroup> groups_;
  std::vector<std::string> problems_;
};

AlertmanagerSpec spec_of(const PrometheusAlertmanager& from) {
  return {.relabel = from.relabel,
          .alert_relabel = from.alert_relabel,
          .scheme = from.scheme,
          .path_prefix = from.path_prefix,
          .timeout_ms = from.timeout_ms,
          .http = from.http};
}

}  // namespace

Result<std::vector<ConfiguredGroup>> configured_groups(const Config& config,
                                                       const PrometheusFile& prometheus,
                                                       FileSystem& files,
                                                       const std::string& external_url) {
  const GroupSettings own = group_settings(config, prometheus, external_url);
  GroupSettings theirs = own;
  theirs.evaluation_interval_ms = prometheus.global.evaluation_interval_ms;
  theirs.query_offset_ms = prometheus.global.rule_query_offset_ms;
  GroupReader reader(files, rule_file_options(config.get_bool("query.experimental")));
  reader.take(watch::rules::objective_rules(configured_objectives(config)), own);
  for (const std::string& pattern : config.get_strings("rules.files"))
    reader.read_pattern(pattern, true, own);
  for (const std::string& pattern : prometheus.rule_files)
    reader.read_pattern(pattern, false, theirs);
  if (config.get_bool("rules.default_rules"))
    reader.take(watch::rules::default_rules(reader.options()), own);
  return std::move(reader).done();
}

Result<std::vector<ConfiguredGroup>> prometheus_groups(const PrometheusFile& prometheus,
                                                       FileSystem& files) {
  GroupReader reader(files, rule_file_options(false));
  for (const std::string& pattern : prometheus.rule_files) reader.read_pattern(pattern, false, {});
  return std::move(reader).done();
}

RulesPart::RulesPart(const Config& config, RulesPartTools tools)
    : tools_(std::move(tools)),
      outside_(alertmanager_options(config),
               {tools_.io, tools_.files, tools_.clock, tools_.registry}),
      notifier_(tools_.router, outside_),
      service_(service_options(config), {.reads = tools_.reads,
                                         .writes = tools_.samples,
                                         .clock = tools_.clock,
                                         .registry = tools_.registry,
                                         .state = tools_.state,
                                         .limits = tools_.limits,
                                         .expand = watch::rules::expand_rule_template,
                                         .notify =
                                             [this](std::vector<model::Alert> alerts) {
                                               return notifier_.put(std::move(alerts));
                                             }}),
      discovery_(
          collect::discovery::source_factory({.io = tools_.io,
                                              .files = tools_.files,
                                              .clock = tools_.clock,
                                              .pool = tools_.discovery_pool,
                                              .random = tools_.random,
                                              .pod = PodEnvironment::of_process()}),
          [this](const std::string& job, std::vector<model::TargetGroup> groups) {
            outside_.set_targets(job, groups);
          },
          tools_.clock, tools_.registry) {}

RulesPart::~RulesPart() { stop(); }

Result<ConfigReloader::Commit> RulesPart::prepare(const Config& next, const std::string& path) {
  PrometheusFile file;
  if (!path.empty()) {
    TRY_ASSIGN(file, load_prometheus_file(tools_.files, path, process_environment()));
  }
  std::string url = next.get_string("rules.external_url");
  if (url.empty()) url = tools_.own_url();
  TRY_ASSIGN(auto groups, configured_groups(next, file, tools_.files, url));
  // Shared only because a std::function must be copyable.
  auto held = std::make_shared<std::vector<ConfiguredGroup>>(std::move(groups));
  return ConfigReloader::Commit([this, held, next, file = std::move(file)] {
    notifier_.set({external_labels(next, file), file.alert_relabel});
    {
      MutexLock lock(applying_);
      alertmanagers_ = file.alertmanagers;
    }
    apply_alertmanagers();
    service_.set_groups(std::move(*held));
  });
}

// Names are new at each reload, so that discovery hands over the targets again. Not before the
// start, as discovery needs the I/O threads.
void RulesPart::apply_alertmanagers() {
  MutexLock lock(applying_);
  if (!started_) return;
  ++applied_;
  std::map<std::string, AlertmanagerSpec> specs;
  std::vector<DiscoveryJob> jobs;
  for (size_t i = 0; i < alertmanagers_.size(); ++i) {
    const std::string name = fmt::format("alertmanagers/{}/{}", applied_, i);
    specs[name] = spec_of(alertmanagers_[i]);
    jobs.push_back({name, alertmanagers_[i].sources});
  }
  outside_.set_specs(std::move(specs));
  discovery_.apply(jobs);
}

void RulesPart::start() {
  discovery_.start();
  {
    MutexLock lock(applying_);
    started_ = true;
  }
  apply_alertmanagers();
  service_.start();
}

void RulesPart::stop() {
  service_.stop();
  discovery_.stop();
  outside_.stop();
}

}  // namespace binnacle::app
