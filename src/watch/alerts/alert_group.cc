#include "watch/alerts/alert_group.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace binnacle::watch::alerts {
namespace {

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text);
    const bool special = !step.valid || static_cast<uint8_t>(text[0]) < 0x20 || text[0] == '"' ||
                         text[0] == '\\' || text[0] == 0x7F;
    for (const char c : text.substr(0, step.bytes)) {
      if (special) {
        append_escaped(out, c);
      } else {
        out += c;
      }
    }
    text.remove_prefix(step.bytes);
  }
  return out + '"';
}

}  // namespace

std::string label_set_text(model::LabelsView labels) {
  std::vector<std::string> pairs;
  for (const model::Label& label : labels) {
    pairs.push_back(fmt::format("{}={}", label.name, in_quotes(label.value)));
  }
  std::ranges::sort(pairs);
  return fmt::format("{{{}}}", fmt::join(pairs, ", "));
}

}  // namespace binnacle::watch::alerts
