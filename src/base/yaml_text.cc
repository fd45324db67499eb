#include "base/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/config_text.h"

namespace binnacle {
namespace {

// Numbers and truth values are what they are only without quotes; -1, 1.5, 30s, true, on.
bool is_bare(const YamlNode& node) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::string_view text = node.text;
  const auto known = [&](char c) {
    return kDigits.find(c) != std::string_view::npos ||
           kLetters.find(c) != std::string_view::npos || c == '-' || c == '+' || c == '.' ||
           c == '_';
  };
  return !node.quoted && std::ranges::all_of(text, known) &&
         (text.find_first_of(kDigits) != std::string_view::npos ||
          text.find_first_of(kLetters) == 0);
}

void append(const YamlNode& node, size_t indent, bool after_dash, std::string& out);

void append_value(const YamlNode& node, size_t indent, std::string& out) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      out += " null\n";
      return;
    case YamlNode::Kind::kScalar:
      out += fmt::format(" {}\n", is_bare(node) ? node.text : yaml_scalar(node.text));
      return;
    case YamlNode::Kind::kSequence:
      out += node.items.empty() ? " []\n" : "\n";
      break;
    case YamlNode::Kind::kMap:
      out += node.entries.empty() ? " {}\n" : "\n";
      break;
  }
  append(node, indent, false, out);
}

void append(const YamlNode& node, size_t indent, bool after_dash, std::string& out) {
  bool first = after_dash;
  const std::string margin(indent, ' ');
  for (const YamlNodePtr& item : node.items) {
    out += first ? "" : margin;
    first = false;
    out += '-';
    if (item->kind == YamlNode::Kind::kMap && !item->entries.empty()) {
      out += ' ';
      append(*item, indent + 2, true, out);
    } else {
      append_value(*item, indent + 2, out);
    }
  }
  for (const YamlEntry& entry : node.entries) {
    out += first ? "" : margin;
    first = false;
    out += (entry.key == "<<" ? entry.key : yaml_scalar(entry.key)) + ':';
    append_value(*entry.value, indent + 2, out);
  }
}

}  // namespace

std::string yaml_text(const YamlNode& root) {
  std::string out;
  append_value(root, 0, out);
  return out.substr(1);  // the space or the line's end before the value
}

}  // namespace binnacle
