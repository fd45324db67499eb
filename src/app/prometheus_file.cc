#include "app/prometheus_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "app/prometheus_remote_yaml.h"
#include "base/glob.h"
#include "base/utf8.h"
#include "base/yaml_reader.h"

namespace binnacle::app {
namespace {

constexpr std::string_view kOwnStorage =
    "has no effect: see the section storage of binnacle.yaml, which says it for all samples";

bool is_variable_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// $NAME and ${NAME}; $$ is a dollar. Nowhere else in the file are variables replaced.
std::string expand_variables(std::string_view text, const Environment& environment,
                             const YamlValue& at) {
  std::string out;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const bool braced = text.starts_with('{');
    if (braced) text.remove_prefix(1);
    size_t end = 0;
    while (end < text.size() && (braced ? text[end] != '}' : is_variable_character(text[end]))) {
      ++end;
    }
    const std::string name(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + (braced ? 1 : 0)));
    const std::string value = environment(name);
    if (value.empty()) at.warn("variable " + name + " is empty or not set");
    out += value;
  }
  return out;
}

model::Labels read_external_labels(const YamlValue& value, const Environment& environment) {
  model::LabelsBuilder labels;
  for (const auto& [name, text] : value.string_map()) {
    if (name.empty() || !is_valid_utf8(name) || !is_valid_utf8(text)) {
      value.problem("no label in UTF-8", name, "write name and value as text");
    } else {
      labels.set(name, expand_variables(text, environment, value));
    }
  }
  return labels.build();
}

void read_global(const YamlValue& section, const Environment& environment,
                 PrometheusGlobal& global) {
  YamlMap map(section);
  const PrometheusGlobal built_in;
  global.scrape = collect::scrape::read_scrape_defaults(map);
  map.duration("evaluation_interval", global.evaluation_interval_ms);
  if (global.evaluation_interval_ms == 0) {
    global.evaluation_interval_ms = built_in.evaluation_interval_ms;
  }
  map.duration("rule_query_offset", global.rule_query_offset_ms);
  if (const auto labels = map.field("external_labels")) {
    global.external_labels = read_external_labels(*labels, environment);
  }
  map.unused("query_log_file", "has no effect: slow queries are logged with the server's own log");
  map.finish();
}

// Read for its keys alone: a slip of the finger is named although nothing here acts on them.
void check_keys(const YamlValue& section, std::initializer_list<const char*> keys,
                std::string_view why) {
  YamlMap map(section);
  for (const char* key : keys) map.unused(key, why);
  map.finish();
}

void read_storage(const YamlValue& section) {
  YamlMap map(section);
  if (const auto tsdb = map.field("tsdb")) {
    check_keys(*tsdb,
               {"out_of_order_time_window", "retention", "stale_series_compaction_threshold",
                "chunk_encoding"},
               kOwnStorage);
    YamlMap fields(*tsdb);
    int64_t window_ms = 0;
    fields.duration("out_of_order_time_window", window_ms);
  }
  if (const auto exemplars = map.field("exemplars")) {
    check_keys(*exemplars, {"max_exemplars"}, kOwnStorage);
  }
  map.finish();
}

void read_tracing(const YamlValue& section) {
  check_keys(section,
             {"client_type", "endpoint", "sampling_fraction", "insecure", "tls_config", "headers",
              "compression", "timeout"},
             "has no effect: Binnacle sends no traces of its own");
  YamlMap map(section);
  std::string endpoint;
  map.read("endpoint", endpoint);
  if (endpoint.empty()) section.problem("endpoint is missing");
}

void read_otlp(const YamlValue& section) {
  check_keys(
      section,
      {"promote_all_resource_attributes", "promote_resource_attributes",
       "ignore_resource_attributes", "translation_strategy", "keep_identifying_resource_attributes",
       "convert_histograms_to_nhcb", "promote_scope_metadata", "label_name_underscore_sanitization",
       "label_name_preserve_multiple_underscores"},
      "has no effect: see the section of binnacle.yaml that speaks of receiving");
}

// Only the last part of a path may have a '*', and only one.
std::vector<std::string> read_patterns(const YamlValue& list) {
  std::vector<std::string> out;
  for (const std::string& pattern : list.strings()) {
    const size_t star = pattern.find('*');
    if (star != std::string::npos && pattern.find_first_of("*/", star + 1) != std::string::npos) {
      list.problem("no path of files", pattern, "one * may stand in its last part");
    }
    out.push_back(list.document().resolve(pattern));
  }
  return out;
}

// Reads prometheus.yml and the files of scrape configs that it names. Lives for one load.
class Loader {
 public:
  Loader(FileSystem& files, const Environment& environment)
      : files_(files), environment_(environment) {}

  Result<PrometheusFile> load(const std::string& path) {
    TRY_ASSIGN(const std::string text, files_.read_file(path, kMaxConfigBytes));
    YamlDocument document(path, text);
    const std::vector<std::string> scrape_files = read_main(document);
    close(document);
    for (const std::string& pattern : scrape_files) {
      for (const std::string& name : expand_glob(files_, pattern)) read_scrape_file(name);
    }
    if (problems_.empty()) return std::move(file_);
    return fail(Code::kInvalidArgument, fmt::format("{}", fmt::join(problems_, "\n")));
  }

 private:
  std::vector<std::string> read_main(YamlDocument& document) {
    YamlMap map(document.root());
    std::vector<std::string> scrape_files;
    if (const auto section = map.field("global")) {
      read_global(*section, environment_, file_.global);
    }
    if (const auto list = map.field("scrape_configs")) read_jobs(*list);
    if (const auto list = map.field("scrape_config_files")) scrape_files = read_patterns(*list);
    if (const auto list = map.field("rule_files")) file_.rule_files = read_patterns(*list);
    if (const auto section = map.field("alerting")) read_alerting(*section, file_);
    if (const auto list = map.field("remote_write")) read_remote_writes(*list, file_);
    if (const auto list = map.field("remote_read")) read_remote_reads(*list, file_);
    if (const auto section = map.field("storage")) read_storage(*section);
    if (const auto section = map.field("tracing")) read_tracing(*section);
    if (const auto section = map.field("otlp")) read_otlp(*section);
    if (const auto section = map.field("runtime")) {
      check_keys(*section, {"gogc"}, "has no effect: there is no garbage collector here");
    }
    map.finish();
    return scrape_files;
  }

  void read_scrape_file(const std::string& name) {
    const auto text = files_.read_file(name, kMaxConfigBytes);
    if (!text) {
      problems_.push_back("scrape_config_files: " + text.error().message);
      return;
    }
    YamlDocument document(name, *text);
    YamlMap map(document.root());
    if (const auto list = map.field("scrape_configs")) read_jobs(*list);
    map.finish();
    close(document);
  }

  void read_jobs(const YamlValue& list) {
    for (const YamlValue& entry : list.items()) {
      auto config = collect::scrape::read_scrape_config(entry, file_.global.scrape);
      const std::string& name = config.job.job_name;
      if (!name.empty() && !jobs_.insert(name).second) {
        entry.problem("job_name is taken already", name, "each job needs a name of its own");
      }
      file_.scrape_configs.push_back(std::move(config));
    }
  }

  void close(YamlDocument& document) {
    for (std::string& line : document.problems().lines()) problems_.push_back(std::move(line));
    for (std::string& line : document.warnings().lines()) {
      file_.warnings.push_back(std::move(line));
    }
  }

  FileSystem& files_;
  const Environment& environment_;
  PrometheusFile file_;
  std::vector<std::string> problems_;
  std::set<std::string> jobs_;
};

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::string {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? value : "";
  };
}

Result<PrometheusFile> load_prometheus_file(FileSystem& files, const std::string& path,
                                            const Environment& environment) {
  return Loader(files, environment).load(path);
}

}  // namespace binnacle::app
