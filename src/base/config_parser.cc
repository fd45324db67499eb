#include "base/config_parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle {
namespace {

// Objects in one list; each carries all its defaults.
constexpr size_t kMaxObjects = 1000;

// "server.listen[0].tls" as the table writes it: "server.listen[].tls".
std::string without_indices(std::string_view path) {
  std::string out;
  bool inside = false;
  for (const char c : path) {
    if (c == ']') inside = false;
    if (!inside) out += c;
    if (c == '[') inside = true;
  }
  return out;
}

}  // namespace

ConfigParser::Place ConfigParser::below(const Place& place, std::string_view name) {
  return {config_path(place.path, name), config_path(place.relative, name)};
}

std::shared_ptr<const ConfigScope> ConfigParser::parse(const YamlNode& root) {
  auto scope = std::make_shared<ConfigScope>();
  read_section(schema_.root(), root, root.line, {}, *scope);
  fill_defaults(schema_.root(), "", *scope);
  return scope;
}

void ConfigParser::read_section(const ConfigSchema::Node& section, const YamlNode& yaml, int line,
                                const Place& place, ConfigScope& scope) {
  // A section whose keys are all commented out is an empty one.
  if (yaml.kind == YamlNode::Kind::kNull) return;
  if (yaml.kind != YamlNode::Kind::kMap) {
    problems_.add(line,
                  fmt::format("{}: wrong type",
                              place.path.empty() ? "the file" : std::string_view(place.path)),
                  kind_name(yaml.kind), "write a map of keys");
    return;
  }
  for (const YamlEntry& entry : yaml.entries) read_key(section, entry, place, scope);
}

void ConfigParser::read_key(const ConfigSchema::Node& section, const YamlEntry& yaml,
                            const Place& place, ConfigScope& scope) {
  const auto node = std::find_if(section.children.begin(), section.children.end(),
                                 [&](const auto& child) { return child.name == yaml.key; });
  if (node == section.children.end()) {
    report_unknown(section, yaml, place);
    return;
  }
  const Place here = below(place, node->name);
  if (node->is_section()) {
    read_section(*node, *yaml.value, yaml.line, here, scope);
  } else if (node->is_list()) {
    read_objects(*node, yaml, here, scope);
  } else if (auto value = read_value(*node->key, here.path, *yaml.value, yaml.line, substitution_,
                                     problems_)) {
    scope.entries.emplace(here.relative, std::move(*value));
  }
}

void ConfigParser::read_objects(const ConfigSchema::Node& list, const YamlEntry& yaml,
                                const Place& place, ConfigScope& scope) {
  if (yaml.value->kind != YamlNode::Kind::kSequence) {
    problems_.add(yaml.line, fmt::format("{}: wrong type", place.path), kind_name(yaml.value->kind),
                  "write a list: lines that begin with -, or []");
    return;
  }
  if (yaml.value->items.size() > kMaxObjects) {
    problems_.add(yaml.line, fmt::format("{}: too long", place.path),
                  fmt::format("{} entries", yaml.value->items.size()),
                  fmt::format("write at most {}", kMaxObjects));
    return;
  }
  ConfigEntry entry;
  entry.key = list.key;
  entry.line = yaml.line;
  for (const YamlNodePtr& item : yaml.value->items) {
    auto object = std::make_shared<ConfigScope>();
    const Place here{fmt::format("{}[{}]", place.path, entry.objects.size()), ""};
    read_section(list, *item, item->line, here, *object);
    fill_defaults(list, "", *object);
    entry.objects.push_back(std::move(object));
  }
  scope.entries.emplace(place.relative, std::move(entry));
}

void ConfigParser::report_unknown(const ConfigSchema::Node& section, const YamlEntry& yaml,
                                  const Place& place) {
  std::string section_path = without_indices(place.path);
  if (section.is_list() && !section_path.ends_with("[]")) section_path += "[]";
  const std::string meant =
      problems_.full() ? "" : schema_.nearest(section, section_path, yaml.key);
  problems_.add(yaml.line, "unknown key", config_path(place.path, yaml.key),
                meant.empty() ? "remove it; `binnacle config docs` lists all keys"
                              : fmt::format("did you mean {}?", meant));
}

void ConfigParser::fill_defaults(const ConfigSchema::Node& section, const std::string& relative,
                                 ConfigScope& scope) {
  for (const ConfigSchema::Node& node : section.children) {
    const std::string path = config_path(relative, node.name);
    if (node.is_section()) {
      fill_defaults(node, path, scope);
    } else if (!scope.entries.contains(path)) {
      if (!node.is_list()) {
        scope.entries.emplace(path, default_value(*node.key));
        continue;
      }
      ConfigEntry entry;
      entry.key = node.key;
      if (node.key->default_text == "[{}]") {
        auto object = std::make_shared<ConfigScope>();
        fill_defaults(node, "", *object);
        entry.objects.push_back(std::move(object));
      }
      scope.entries.emplace(path, std::move(entry));
    }
  }
}

}  // namespace binnacle
