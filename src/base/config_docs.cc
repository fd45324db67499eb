#include "base/config_docs.h"

#include "base/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace binnacle {
namespace {

// A bar would end the table's cell, a line break its row.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    CHECK(c != '\n');
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string type_cell(const ConfigKey& key) {
  std::string out(config_type_name(key.type));
  if (!key.unit.empty()) out += fmt::format(", {}", key.unit);
  if (!key.min.empty() && !key.max.empty()) {
    out += fmt::format(", {} to {}", key.min, key.max);
  } else if (!key.min.empty()) {
    out += fmt::format(", at least {}", key.min);
  } else if (!key.max.empty()) {
    out += fmt::format(", at most {}", key.max);
  }
  if (!key.choices.empty()) out += fmt::format(": `{}`", fmt::join(key.choices, "`, `"));
  return cell(out);
}

std::string default_cell(const ConfigKey& key) {
  return key.default_text.empty() ? "not set" : fmt::format("`{}`", cell(key.default_text));
}

void write_keys(const ConfigSchema::Node& node, std::string& out) {
  if (node.key != nullptr) {
    const ConfigKey& key = *node.key;
    out += fmt::format("| `{}` | {} | {} | {} | {}{} |\n", key.path, type_cell(key),
                       default_cell(key), key.reload == Reload::kLive ? "live" : "restart",
                       cell(key.meaning), key.secret ? " Secret: never printed." : "");
  }
  for (const auto& child : node.children) write_keys(child, out);
}

}  // namespace

std::string config_markdown(const ConfigSchema& schema, std::string_view intro) {
  std::string out(intro);
  for (const ConfigSchema::Node& section : schema.root().children) {
    out += fmt::format(
        "\n## {}\n\n| key | type | default | reload | meaning |\n|---|---|---|---|---|\n",
        section.name);
    write_keys(section, out);
  }
  return out;
}

}  // namespace binnacle
