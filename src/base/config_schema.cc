#include "base/config_schema.h"

#include "base/check.h"
#include "base/config_value.h"
#include "base/nearest_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

namespace binnacle {

struct ConfigSchema::Table {
  std::vector<ConfigKey> keys;  // never resized after the tree points into it
  std::vector<ConfigRule> rules;
  Node root;
};

namespace {

constexpr std::string_view kTypeNames[] = {
    "bool",  "int",  "float",           "string",         "duration",
    "bytes", "enum", "list of strings", "map of strings", "list of objects"};

ConfigSchema::Node* child(ConfigSchema::Node& parent, std::string_view name) {
  for (auto& node : parent.children) {
    if (node.name == name) return &node;
  }
  return nullptr;
}

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t dot = path.find('.');
    parts.push_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    path.remove_prefix(dot + 1);
  }
}

// Goes down to the section that holds the last part, making sections on the way. A list must be in
// the table before the keys of its objects.
ConfigSchema::Node& section_for(ConfigSchema::Node& root, std::span<const std::string_view> parts) {
  ConfigSchema::Node* at = &root;
  for (std::string_view part : parts) {
    const bool of_list = part.ends_with("[]");
    if (of_list) part.remove_suffix(2);
    CHECK(!part.empty());
    ConfigSchema::Node* next = child(*at, part);
    if (next == nullptr) {
      CHECK(!of_list);
      next = &at->children.emplace_back(ConfigSchema::Node{std::string(part), nullptr, {}});
    }
    CHECK(of_list ? next->is_list() : next->is_section());
    at = next;
  }
  return *at;
}

void insert(ConfigSchema::Node& root, const ConfigKey& key) {
  const auto parts = split(key.path);
  ConfigSchema::Node& section = section_for(root, std::span(parts).first(parts.size() - 1));
  CHECK(!parts.back().empty() && !parts.back().ends_with("[]"));
  CHECK(child(section, parts.back()) == nullptr);  // a path stands once
  section.children.push_back({std::string(parts.back()), &key, {}});
}

void check_key(const ConfigKey& key) {
  CHECK(!key.meaning.empty());
  CHECK(key.type != ConfigType::kEnum || !key.choices.empty());
  if (key.type == ConfigType::kObjects) {
    CHECK(key.default_text == "[]" || key.default_text == "[{}]");
  } else {
    default_value(key);
  }
}

std::string_view last_part(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

}  // namespace

std::string config_path(std::string_view section, std::string_view name) {
  return section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
}

std::string_view config_type_name(ConfigType type) { return kTypeNames[static_cast<size_t>(type)]; }

ConfigSchema::ConfigSchema(std::vector<ConfigKey> keys, std::vector<ConfigRule> rules) {
  auto table = std::make_shared<Table>();
  table->keys = std::move(keys);
  table->rules = std::move(rules);
  for (const ConfigKey& key : table->keys) {
    check_key(key);
    insert(table->root, key);
  }
  table_ = std::move(table);
}

const ConfigSchema::Node& ConfigSchema::root() const { return table_->root; }
const std::vector<ConfigKey>& ConfigSchema::keys() const { return table_->keys; }
const std::vector<ConfigRule>& ConfigSchema::rules() const { return table_->rules; }

std::string ConfigSchema::nearest(const Node& section, std::string_view section_path,
                                  std::string_view name) const {
  std::vector<std::string_view> siblings;
  for (const Node& sibling : section.children) siblings.push_back(sibling.name);
  const std::string best = nearest_name(name, siblings);
  if (!best.empty()) return config_path(section_path, best);
  // The right name in the wrong section.
  for (const ConfigKey& key : table_->keys) {
    if (last_part(key.path) == name) return key.path;
  }
  return "";
}

}  // namespace binnacle
