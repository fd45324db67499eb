#include "base/config.h"
#include "base/config_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace binnacle {
namespace {

class YamlPrinter {
 public:
  explicit YamlPrinter(bool mask_secrets) : mask_secrets_(mask_secrets) {}

  // `relative`: the section's path in its scope; `indent`: columns before its keys.
  void print_section(const ConfigSchema::Node& section, const ConfigScope& scope,
                     const std::string& relative, size_t indent) {
    for (const ConfigSchema::Node& node : section.children) {
      const std::string path = config_path(relative, node.name);
      begin_line(indent);
      if (node.is_section()) {
        out_ += fmt::format("{}:\n", node.name);
        print_section(node, scope, path, indent + 2);
      } else if (const ConfigEntry& entry = scope.entries.at(path); node.is_list()) {
        print_list(node, entry, indent);
      } else {
        out_ += fmt::format("{}: {}{}\n", node.name, value_text(entry, mask_secrets_), mark(entry));
      }
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void print_list(const ConfigSchema::Node& node, const ConfigEntry& entry, size_t indent) {
    if (entry.objects.empty()) {
      out_ += fmt::format("{}: []{}\n", node.name, mark(entry));
      return;
    }
    out_ += fmt::format("{}:{}\n", node.name, mark(entry));
    for (const auto& object : entry.objects) {
      dash_ = true;
      print_section(node, *object, "", indent + 4);
    }
  }

  // The first line of a list's object carries the dash in its indentation.
  void begin_line(size_t indent) {
    out_.append(dash_ ? indent - 2 : indent, ' ');
    if (dash_) out_ += "- ";
    dash_ = false;
  }

  static std::string_view mark(const ConfigEntry& entry) {
    return entry.is_default() ? "  # default" : "";
  }

  const bool mask_secrets_;
  bool dash_ = false;
  std::string out_;
};

nlohmann::json json_value(const ConfigEntry& entry, bool mask) {
  const ConfigValue value = shown_value(entry, mask);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* map = std::get_if<ConfigMap>(&value)) return *map;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<int64_t>(&value);
      number && entry.key->type == ConfigType::kInt) {
    return *number;
  }
  return scalar_text(*entry.key, value);
}

}  // namespace

std::string Config::print(bool mask_secrets) const {
  YamlPrinter printer(mask_secrets);
  printer.print_section(*node_, *scope_, "", 0);
  return printer.take();
}

std::string Config::print_json(bool mask_secrets) const {
  nlohmann::json out = nlohmann::json::array();
  for (const ConfigItem& item : items()) {
    out.push_back({{"path", item.path},
                   {"value", json_value(*item.entry, mask_secrets)},
                   {"default", item.entry->is_default()}});
  }
  // Bytes that are not UTF-8 become U+FFFD: a config may hold any, JSON may not.
  return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace binnacle
