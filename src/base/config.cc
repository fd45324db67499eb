#include "base/config.h"

#include "base/check.h"
#include "base/config_parser.h"
#include "base/config_text.h"
#include "base/config_yaml.h"

#include <fmt/format.h>

#include <map>

namespace binnacle {
namespace {

void collect_items(const ConfigSchema::Node& section, const ConfigScope& scope,
                   const std::string& path, const std::string& relative,
                   std::vector<ConfigItem>& out) {
  for (const ConfigSchema::Node& node : section.children) {
    const std::string here = config_path(path, node.name);
    const std::string local = config_path(relative, node.name);
    if (node.is_section()) {
      collect_items(node, scope, here, local, out);
      continue;
    }
    const ConfigEntry& entry = scope.entries.at(local);
    if (!node.is_list()) {
      out.push_back({here, &entry});
      continue;
    }
    for (size_t i = 0; i < entry.objects.size(); ++i) {
      collect_items(node, *entry.objects[i], fmt::format("{}[{}]", here, i), "", out);
    }
  }
}

const ConfigSchema::Node* find_node(const ConfigSchema::Node& section, const ConfigKey* key) {
  for (const ConfigSchema::Node& node : section.children) {
    if (node.key == key) return &node;
    if (!node.is_section()) continue;
    if (const auto* found = find_node(node, key)) return found;
  }
  return nullptr;
}

}  // namespace

tl::expected<Config, ConfigProblems> Config::parse(const ConfigSchema& schema,
                                                   std::string_view yaml, std::string file_name,
                                                   const ConfigSources& sources) {
  ConfigProblems problems(std::move(file_name));
  const YamlNodePtr root = read_yaml(yaml, problems);
  auto scope = ConfigParser(schema, sources, problems).parse(*root);
  Config config(schema, &schema.root(), std::move(scope));
  if (problems.empty()) {
    for (const ConfigRule& rule : schema.rules()) rule(config, problems);
  }
  if (!problems.empty()) return tl::unexpected(std::move(problems));
  return config;
}

tl::expected<Config, ConfigProblems> Config::load(const ConfigSchema& schema,
                                                  const std::string& path,
                                                  const ConfigSources& sources) {
  if (path.empty()) return parse(schema, "", "defaults", sources);
  auto text = sources.files.read_file(path, kMaxConfigBytes);
  if (!text) {
    ConfigProblems problems(path);
    problems.add(
        0, fmt::format("config cannot be read: {}; mend it or the path", text.error().message));
    return tl::unexpected(std::move(problems));
  }
  return parse(schema, *text, path, sources);
}

Config::Config(ConfigSchema schema, const ConfigSchema::Node* node,
               std::shared_ptr<const ConfigScope> scope)
    : schema_(std::move(schema)), node_(node), scope_(std::move(scope)) {}

const ConfigEntry& Config::entry(std::string_view path) const {
  const auto found = scope_->entries.find(path);
  CHECK(found != scope_->entries.end());  // a path of the table, from this object down
  return found->second;
}

template <typename T>
const T& Config::get(std::string_view path, ConfigType type) const {
  const ConfigEntry& found = entry(path);
  CHECK(found.key->type == type);
  return std::get<T>(found.value);
}

bool Config::get_bool(std::string_view path) const { return get<bool>(path, ConfigType::kBool); }

int64_t Config::get_int(std::string_view path) const {
  return get<int64_t>(path, ConfigType::kInt);
}

double Config::get_float(std::string_view path) const {
  return get<double>(path, ConfigType::kFloat);
}

const std::string& Config::get_string(std::string_view path) const {
  const bool is_enum = entry(path).key->type == ConfigType::kEnum;
  return get<std::string>(path, is_enum ? ConfigType::kEnum : ConfigType::kString);
}

int64_t Config::get_duration_ms(std::string_view path) const {
  return get<int64_t>(path, ConfigType::kDuration);
}

int64_t Config::get_bytes(std::string_view path) const {
  return get<int64_t>(path, ConfigType::kBytes);
}

const std::vector<std::string>& Config::get_strings(std::string_view path) const {
  return get<std::vector<std::string>>(path, ConfigType::kStrings);
}

const ConfigMap& Config::get_map(std::string_view path) const {
  return get<ConfigMap>(path, ConfigType::kMap);
}

size_t Config::list_size(std::string_view path) const {
  const ConfigEntry& list = entry(path);
  CHECK(list.key->type == ConfigType::kObjects);
  return list.objects.size();
}

Config Config::at(std::string_view path, size_t index) const {
  CHECK(index < list_size(path));
  const ConfigEntry& list = entry(path);
  return Config(schema_, find_node(*node_, list.key), list.objects[index]);
}

bool Config::is_default(std::string_view path) const { return entry(path).is_default(); }
int Config::line_of(std::string_view path) const { return entry(path).line; }

std::vector<ConfigItem> Config::items() const {
  std::vector<ConfigItem> out;
  collect_items(*node_, *scope_, "", "", out);
  return out;
}

std::vector<ConfigChange> Config::diff(const Config& before, const Config& after) {
  std::map<std::string, const ConfigEntry*> old_by_path;
  for (const ConfigItem& item : before.items()) old_by_path.emplace(item.path, item.entry);
  std::vector<ConfigChange> changes;
  for (const ConfigItem& item : after.items()) {
    const bool needs_restart = item.entry->key->reload == Reload::kRestart;
    const auto old = old_by_path.extract(item.path);
    if (old.empty()) {
      changes.push_back({item.path, std::nullopt, value_text(*item.entry, true), needs_restart});
    } else if (old.mapped()->value != item.entry->value) {
      changes.push_back({item.path, value_text(*old.mapped(), true), value_text(*item.entry, true),
                         needs_restart});
    }
  }
  for (const auto& [path, entry] : old_by_path) {
    changes.push_back(
        {path, value_text(*entry, true), std::nullopt, entry->key->reload == Reload::kRestart});
  }
  return changes;
}

}  // namespace binnacle
