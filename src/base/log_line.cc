#include "base/log_line.h"

#include "base/clock.h"
#include "base/float_text.h"
#include "base/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace binnacle {
namespace {

constexpr std::array<std::string_view, 6> kFixedKeys = {"timestamp", "level",   "service",
                                                        "component", "message", "request_id"};

struct LevelLook {
  std::string_view text;
  std::string_view colour;
};

constexpr std::array<LevelLook, 6> kLooks = {{{"TRACE", "\x1b[2m"},
                                              {"DEBUG", "\x1b[36m"},
                                              {"INFO ", "\x1b[32m"},
                                              {"WARN ", "\x1b[33m"},
                                              {"ERROR", "\x1b[31m"},
                                              {"OFF  ", "\x1b[0m"}}};
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";

template <typename Integer>
void append_integer(std::string& out, Integer n) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), n).ptr);
}

// A number or bool as both forms write it. False: a string, which each form quotes in its own way.
bool append_bare(std::string& out, const LogField& field) {
  if (const auto* n = std::get_if<int64_t>(&field.value)) {
    append_integer(out, *n);
  } else if (const auto* u = std::get_if<uint64_t>(&field.value)) {
    append_integer(out, *u);
  } else if (const auto* d = std::get_if<double>(&field.value)) {
    append_float_text(out, *d);
  } else if (const auto* b = std::get_if<bool>(&field.value)) {
    out += *b ? "true" : "false";
  } else {
    return false;
  }
  return true;
}

void append_json_value(std::string& out, const LogField& field) {
  const auto* const number = std::get_if<double>(&field.value);
  const bool in_quotes = number != nullptr && !std::isfinite(*number);
  if (in_quotes) out += '"';
  if (!append_bare(out, field)) append_json_string(out, std::get<std::string_view>(field.value));
  if (in_quotes) out += '"';
}

void append_json_pair(std::string& out, std::string_view key, std::string_view value) {
  out += out.empty() ? '{' : ',';
  append_json_string(out, key);
  out += ':';
  append_json_string(out, value);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool reads_bare(std::string_view text) {
  return !text.empty() && is_printable(text) && text.find_first_of(" \"=\\") == text.npos;
}

// JSON's string escapes without the quotes: line ends and terminal codes become visible, UTF-8 is
// mended. DEL and the C1 controls (U+0080..U+009F) pass through JSON, but terminals obey them.
void append_visible(std::string& out, std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);
  const std::string_view inside = std::string_view(quoted).substr(1, quoted.size() - 2);
  for (size_t i = 0; i < inside.size(); ++i) {
    const char c = inside[i];
    const bool c1 = c == '\xC2' && static_cast<uint8_t>(inside[i + 1]) < 0xA0;
    if (c1) ++i;
    if (c1 || c == '\x7f') {
      out += "\xEF\xBF\xBD";
    } else {
      out += c;
    }
  }
}

void append_text_value(std::string& out, std::string_view text) {
  if (reads_bare(text)) {
    out += text;
    return;
  }
  out += '"';
  append_visible(out, text);
  out += '"';
}

class TextLine {
 public:
  explicit TextLine(bool colour) : colour_(colour) {}

  void paint(std::string_view escape) {
    if (colour_) text += escape;
  }

  void start_field(std::string_view key) {
    text += ' ';
    paint(kDim);
    append_visible(text, key);
    text += '=';
    paint(kPlain);
  }

  std::string text;

 private:
  const bool colour_;
};

}  // namespace

std::string log_line_json(const LogEvent& event) {
  std::string out;
  out.reserve(256);
  append_json_pair(out, "timestamp", format_rfc3339(event.wall_ms));
  append_json_pair(out, "level", log_level_name(event.level));
  append_json_pair(out, "service", event.service);
  append_json_pair(out, "component", event.component);
  append_json_pair(out, "message", event.message);
  if (!event.request_id.empty()) append_json_pair(out, "request_id", event.request_id);
  for (const LogField& field : event.fields) {
    out += ',';
    if (std::ranges::find(kFixedKeys, field.key) == kFixedKeys.end()) {
      append_json_string(out, field.key);
    } else {
      append_json_string(out, std::string("field_").append(field.key));
    }
    out += ':';
    append_json_value(out, field);
  }
  out += '}';
  return out;
}

std::string log_line_text(const LogEvent& event, bool colour) {
  const LevelLook& look = kLooks[static_cast<size_t>(event.level)];
  TextLine line(colour);
  line.paint(kDim);
  line.text += format_rfc3339(event.wall_ms);
  line.paint(kPlain);
  line.text += ' ';
  line.paint(look.colour);
  line.text += look.text;
  line.paint(kPlain);
  line.text += ' ';
  append_visible(line.text, event.component);
  line.text += ": ";
  if (is_printable(event.message)) {
    line.text += event.message;
  } else {
    append_visible(line.text, event.message);
  }
  for (const LogField& field : event.fields) {
    line.start_field(field.key);
    if (!append_bare(line.text, field)) {
      append_text_value(line.text, std::get<std::string_view>(field.value));
    }
  }
  if (!event.request_id.empty()) {
    line.start_field("request_id");
    append_text_value(line.text, event.request_id);
  }
  return std::move(line.text);
}

}  // namespace binnacle
