#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/template_literal.h"
#include "base/utf8.h"
#include "watch/alerts/matcher_grammars.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kReserved = "{}!=~,\\\"'`";
constexpr std::string_view kSpaces[] = {" ",
                                        "\t",
                                        "\n",
                                        "\v",
                                        "\f",
                                        "\r",
                                        "\xC2\x85",
                                        "\xC2\xA0",
                                        "\xE1\x9A\x80",
                                        "\xE2\x80\x80",
                                        "\xE2\x80\x81",
                                        "\xE2\x80\x82",
                                        "\xE2\x80\x83",
                                        "\xE2\x80\x84",
                                        "\xE2\x80\x85",
                                        "\xE2\x80\x86",
                                        "\xE2\x80\x87",
                                        "\xE2\x80\x88",
                                        "\xE2\x80\x89",
                                        "\xE2\x80\x8A",
                                        "\xE2\x80\xA8",
                                        "\xE2\x80\xA9",
                                        "\xE2\x80\xAF",
                                        "\xE2\x81\x9F",
                                        "\xE3\x80\x80"};

size_t space(std::string_view text) {
  for (const std::string_view one : kSpaces) {
    if (text.starts_with(one)) return one.size();
  }
  return 0;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Result<model::Matchers> parse() {
    const bool braced = take('{');
    model::Matchers out;
    while (!at_end() && !next_is('}')) {
      TRY_ASSIGN(model::Matcher matcher, matcher_());
      out.push_back(std::move(matcher));
      if (at_end() || next_is('}')) break;
      if (!take(',')) return expected(braced ? "a comma or a closing brace" : "a comma");
    }
    if (braced && !take('}')) return expected("a closing brace");
    if (!at_end()) return expected("the end");
    return out;
  }

 private:
  void skip_spaces() {
    while (const size_t bytes = space(rest_)) rest_.remove_prefix(bytes);
  }
  bool at_end() {
    skip_spaces();
    return rest_.empty();
  }
  bool next_is(char c) {
    skip_spaces();
    return rest_.starts_with(c);
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  Unexpected expected(std::string_view what) {
    skip_spaces();
    return fail(Code::kInvalidArgument,
                fmt::format("{} is expected at column {}", what, text_.size() - rest_.size() + 1));
  }

  Result<model::Matcher> matcher_() {
    TRY_ASSIGN(std::string name, word("a label name"));
    if (name.empty()) return expected("a label name that is not empty before what stands");
    const auto op = op_();
    if (!op) return expected("one of =, !=, =~, !~");
    TRY_ASSIGN(std::string value, word("a value"));
    return model::Matcher::create(*op, std::move(name), std::move(value));
  }

  std::optional<model::MatchOp> op_() {
    skip_spaces();
    constexpr std::pair<std::string_view, model::MatchOp> kOps[] = {
        {"=~", model::MatchOp::kRegex},
        {"!~", model::MatchOp::kNotRegex},
        {"!=", model::MatchOp::kNotEqual},
        {"=", model::MatchOp::kEqual}};
    for (const auto& [text, op] : kOps) {
      if (!rest_.starts_with(text)) continue;
      rest_.remove_prefix(text.size());
      return op;
    }
    return std::nullopt;
  }

  Result<std::string> word(std::string_view what) {
    skip_spaces();
    if (rest_.starts_with('"')) return quoted();
    size_t size = 0;
    while (size < rest_.size() && reserved_character(rest_.substr(size)) == 0) {
      size += std::max<size_t>(utf8_step(rest_.substr(size)).bytes, 1);
    }
    if (size == 0) return expected(what);
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }

  Result<std::string> quoted() {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) {
      rest_.remove_prefix(rest_.size());
      return expected("a closing double quote");
    }
    auto out = parse_template_string(rest_.substr(0, end + 1));
    if (!out || !is_valid_utf8(*out)) return expected("text with escapes that there are, as \\n,");
    rest_.remove_prefix(end + 1);
    return std::move(*out);
  }

  const std::string_view text_;
  std::string_view rest_;
};

}  // namespace

size_t reserved_character(std::string_view text) {
  if (!text.empty() && kReserved.find(text.front()) != std::string_view::npos) return 1;
  return space(text);
}

Result<model::Matchers> parse_utf8_matchers(std::string_view text) { return Parser(text).parse(); }

}  // namespace binnacle::watch::alerts
