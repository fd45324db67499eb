#include "query/promql/go_quote.h"

#include <fmt/format.h>

namespace binnacle::query::promql {
namespace {

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  if (c == '"' || c == '\\') {
    out.push_back('\\');
    out.push_back(c);
  } else if (const size_t at = kNamed.find(c); at != std::string_view::npos) {
    out.push_back('\\');
    out.push_back(kLetters[at]);
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  } else {
    out.push_back(c);
  }
}

}  // namespace

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) append_escaped(out, c);
  out.push_back('"');
  return out;
}

std::string labels_text(model::LabelsView labels) {
  std::string out = "{";
  for (const model::Label& label : labels) {
    if (out.size() > 1) out += ", ";
    out += model::is_legacy_label_name(label.name) ? std::string(label.name) : go_quote(label.name);
    out.push_back('=');
    out += go_quote(label.value);
  }
  return out + "}";
}

}  // namespace binnacle::query::promql
