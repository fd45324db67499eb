#include <fmt/format.h>

#include <vector>

#include "model/labels.h"
#include "watch/alerts/matcher_grammars.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kSpace = " \t\n\v\f\r";

struct Part {
  std::string_view text;
  size_t column = 1;
};

Part trimmed(Part part) {
  const size_t begin = part.text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {"", part.column + part.text.size()};
  const size_t end = part.text.find_last_not_of(kSpace) + 1;
  return {part.text.substr(begin, end - begin), part.column + begin};
}

// At commas outside of double quotes. A last part of spaces alone is none.
std::vector<Part> split(Part whole) {
  std::vector<Part> out;
  bool inside = false;
  bool escaped = false;
  size_t begin = 0;
  for (size_t i = 0; i < whole.text.size(); ++i) {
    const char c = whole.text[i];
    if (c == ',' && !inside) {
      out.push_back({whole.text.substr(begin, i - begin), whole.column + begin});
      begin = i + 1;
    } else if (c == '"' && !escaped) {
      inside = !inside;
    }
    escaped = c == '\\' && !escaped;
  }
  const Part last = trimmed({whole.text.substr(begin), whole.column + begin});
  if (!last.text.empty()) out.push_back(last);
  return out;
}

Unexpected expected(std::string_view what, size_t column) {
  return fail(Code::kInvalidArgument, fmt::format("{} is expected at column {}", what, column));
}

// `\"`, `\n` and `\\` are escapes; any other backslash stands for itself.
Result<std::string> unescape(Part part) {
  std::string_view text = part.text;
  const bool quoted = text.starts_with('"');
  if (quoted) text.remove_prefix(1);
  bool closed = false;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      if (!quoted || i + 1 != text.size()) {
        return expected("a backslash before the double quote", part.column + i + (quoted ? 1 : 0));
      }
      closed = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      const char next = text[++i];
      if (next != 'n' && next != '"' && next != '\\') out += '\\';
      out += next == 'n' ? '\n' : next;
    } else {
      out += c;
    }
  }
  if (quoted && !closed) return expected("a closing double quote", part.column + part.text.size());
  return out;
}

Result<model::Matcher> parse_one(Part part) {
  part = trimmed(part);
  const size_t name_end = std::min(part.text.find_first_of("=!"), part.text.size());
  const Part name = trimmed({part.text.substr(0, name_end), part.column});
  if (!model::is_legacy_metric_name(name.text)) return expected("a label name", name.column);
  const std::string_view rest = part.text.substr(name_end);
  model::MatchOp op = model::MatchOp::kEqual;
  size_t op_size = 2;
  if (rest.starts_with("=~")) {
    op = model::MatchOp::kRegex;
  } else if (rest.starts_with("!=")) {
    op = model::MatchOp::kNotEqual;
  } else if (rest.starts_with("!~")) {
    op = model::MatchOp::kNotRegex;
  } else if (rest.starts_with('=')) {
    op_size = 1;
  } else {
    return expected("one of =, !=, =~, !~", part.column + name_end);
  }
  TRY_ASSIGN(std::string value,
             unescape(trimmed({rest.substr(op_size), part.column + name_end + op_size})));
  return model::Matcher::create(op, std::string(name.text), std::move(value));
}

}  // namespace

Result<model::Matchers> parse_classic_matchers(std::string_view text) {
  Part whole{text};
  if (whole.text.starts_with('{')) whole = {whole.text.substr(1), 2};
  if (whole.text.ends_with('}')) whole.text.remove_suffix(1);
  model::Matchers out;
  for (const Part& part : split(whole)) {
    TRY_ASSIGN(model::Matcher matcher, parse_one(part));
    out.push_back(std::move(matcher));
  }
  return out;
}

}  // namespace binnacle::watch::alerts
