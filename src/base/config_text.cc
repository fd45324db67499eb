#include "base/config_text.h"

#include "base/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace binnacle {
namespace {

constexpr std::string_view kMask = "***";

bool is_plain_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '/' || c == '-';
}

// Texts that a reader of YAML (ours or another) would take for something else than text.
bool is_ambiguous(std::string_view text) {
  constexpr std::string_view kWords[] = {"null", "Null", "NULL", "true", "false", "yes",
                                         "no",   "on",   "off",  ".inf", ".nan",  "---"};
  return text.front() == '-' || text.front() == '.' ||
         std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

std::string mask_text(std::string_view text) { return std::string(text.empty() ? "" : kMask); }

ConfigValue with_masks(ConfigValue value) {
  if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (std::string& text : *list) text = mask_text(text);
    return value;
  }
  if (auto* map = std::get_if<ConfigMap>(&value)) {
    for (auto& [name, text] : *map) text = mask_text(text);
    return value;
  }
  if (const auto* text = std::get_if<std::string>(&value)) return mask_text(*text);
  return std::string(kMask);
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_plain_char) &&
      !is_ambiguous(text)) {
    return std::string(text);
  }
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out += '"';
}

ConfigValue shown_value(const ConfigEntry& entry, bool mask_secrets) {
  if (!mask_secrets) return entry.value;
  if (entry.key->secret) return with_masks(entry.value);
  return entry.as_written ? *entry.as_written : entry.value;
}

std::string value_text(const ConfigEntry& entry, bool mask_secrets) {
  CHECK(entry.key->type != ConfigType::kObjects);
  const ConfigValue value = shown_value(entry, mask_secrets);
  const bool has_references = mask_secrets && entry.as_written.has_value();
  const auto quoted = [&](const std::string& text) {
    return yaml_scalar(has_references ? text : escape_substitution(text));
  };
  std::vector<std::string> parts;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& text : *list) parts.push_back(quoted(text));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  if (const auto* map = std::get_if<ConfigMap>(&value)) {
    for (const auto& [name, text] : *map) {
      parts.push_back(fmt::format("{}: {}", yaml_scalar(name), quoted(text)));
    }
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  return scalar_text(*entry.key, value);
}

}  // namespace binnacle
