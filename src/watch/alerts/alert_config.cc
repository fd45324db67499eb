#include "watch/alerts/alert_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/glob.h"
#include "base/yaml_reader.h"
#include "watch/alerts/alert_extensions.h"
#include "watch/alerts/config_original.h"
#include "watch/alerts/global_yaml.h"
#include "watch/alerts/inhibit_yaml.h"
#include "watch/alerts/receiver_yaml.h"
#include "watch/alerts/route_yaml.h"
#include "watch/alerts/time_interval_yaml.h"

namespace binnacle::watch::alerts {
namespace {

struct Documents {
  std::string first;
  std::string second;  // with as many empty lines before it as there are lines in the first
};

bool is_marker(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\r');
}

bool says_something(std::string_view line) {
  const size_t at = line.find_first_not_of(" \t\r");
  return at != std::string_view::npos && line[at] != '#' && line[at] != '%';
}

// Before the second `---` that stands after content. No text of YAML holds such a line.
Documents split_documents(std::string_view text) {
  bool content = false;
  size_t lines = 0;
  for (size_t begin = 0; begin < text.size(); ++lines) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (is_marker(line) && content) {
      return {std::string(text.substr(0, begin)),
              std::string(lines, '\n') + std::string(text.substr(begin))};
    }
    content = content || is_marker(line) || says_something(line);
    begin = end + 1;
  }
  return {std::string(text), ""};
}

class Reader {
 public:
  Reader(YamlDocument& first, YamlDocument& second, FileSystem& files)
      : first_(first), top_(first.root()), files_(files) {
    if (auto in_place = top_.field(kExtensionKey)) sections_.emplace_back(*in_place);
    YamlMap more(second.root());
    if (auto section = more.field(kExtensionKey)) sections_.emplace_back(*section);
    more.finish();
  }

  // In order of who names whom.
  AlertConfig read() {
    GlobalSettings global;
    if (const auto field = top_.field("global")) read_global(*field, global);
    out_.resolve_timeout_ms = global.resolve_timeout_ms;
    if (const auto field = top_.field("receivers")) out_.receivers = read_receivers(*field, global);
    for (const char* name : {"mute_time_intervals", "time_intervals"}) {
      if (const auto field = top_.field(name)) read_named_intervals(*field, out_.time_intervals);
    }
    for (YamlMap& section : sections_) read_escalations(section, out_);
    read_route_();
    if (const auto field = top_.field("inhibit_rules")) {
      out_.inhibit_rules = read_inhibit_rules(*field);
    }
    read_templates();
    for (YamlMap& section : sections_) read_rest_of_extensions(section, out_);
    top_.unused("tracing", "has no effect: Binnacle sends no traces of its own");
    top_.unused("event_recorder", "has no effect: the history of alerts is kept anyway");
    top_.finish();
    return std::move(out_);
  }

 private:
  void read_route_() {
    const auto field = top_.field("route");
    if (!field) {
      top_.value().problem("route is missing: write route: {receiver: NAME}");
      return;
    }
    out_.route = read_route_tree(*field, out_);
  }

  void read_templates() {
    const auto list = top_.field("templates");
    if (!list) return;
    for (const std::string& pattern : list->strings()) {
      for (std::string& path : expand_glob(files_, first_.resolve(pattern))) {
        out_.template_files.push_back(std::move(path));
      }
    }
  }

  YamlDocument& first_;
  YamlMap top_;
  std::vector<YamlMap> sections_;
  FileSystem& files_;
  AlertConfig out_;
};

Status both(const YamlDocument& first, const YamlDocument& second) {
  const Status a = first.status();
  const Status b = second.status();
  if (a && b) return {};
  return fail(Code::kInvalidArgument, fmt::format("{}{}{}", a ? "" : a.error().message,
                                                  a || b ? "" : "\n", b ? "" : b.error().message));
}

}  // namespace

Result<std::shared_ptr<const AlertConfig>> read_alert_config(std::string_view yaml,
                                                             const std::string& folder,
                                                             FileSystem& files,
                                                             const std::string& name) {
  if (yaml.size() > kMaxConfigBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: too large ({} bytes): at most {} bytes are read", name,
                            yaml.size(), kMaxConfigBytes));
  }
  const Documents documents = split_documents(yaml);
  const std::string path = folder.empty() ? name : fmt::format("{}/{}", folder, name);
  YamlDocument first(path, documents.first);
  YamlDocument second(path, documents.second);
  // What is no YAML has nothing to say about routes.
  if (first.root().is_null()) TRY(both(first, second));
  AlertConfig config = Reader(first, second, files).read();
  TRY(both(first, second));
  config.warnings = first.warnings().lines();
  for (std::string& line : second.warnings().lines()) config.warnings.push_back(std::move(line));
  config.original = original_without_secrets(first.root().node(), second.root().node());
  return std::make_shared<const AlertConfig>(std::move(config));
}

}  // namespace binnacle::watch::alerts
