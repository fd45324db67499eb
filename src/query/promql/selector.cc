#include "query/promql/selector.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace binnacle::query::promql {
namespace {

using model::Matcher;
using model::MatchOp;

constexpr size_t kMaxSelectorBytes = 64 * 1024;

class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text) {}

  Result<model::Matchers> parse() {
    skip_space();
    if (const auto name = take_name(true); !name.empty())
      TRY(add(MatchOp::kEqual, "__name__", std::string(name)));
    skip_space();
    if (take('{')) {
      TRY(parse_braces());
    } else if (matchers_.empty()) {
      return error("expected a metric name or \"{\"");
    }
    skip_space();
    if (at_ != text_.size())
      return error("expected the end: only plain selectors are answered here");
    TRY(refuse_match_all());
    return std::move(matchers_);
  }

 private:
  Status parse_braces() {
    for (;;) {
      skip_space();
      if (take('}')) return {};
      TRY(parse_matcher());
      skip_space();
      if (take(',')) continue;
      if (take('}')) return {};
      return error("expected \",\" or \"}\"");
    }
  }

  Status parse_matcher() {
    std::string name;
    const bool quoted =
        at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'' || text_[at_] == '`');
    if (quoted) {
      TRY_ASSIGN(name, take_string());
    } else {
      name = take_name(false);
    }
    if (name.empty()) return error("expected a label name");
    skip_space();
    const auto op = take_op();
    if (!op) {
      if (quoted) return add(MatchOp::kEqual, "__name__", std::move(name));
      return error("expected one of \"=\", \"!=\", \"=~\", \"!~\"");
    }
    skip_space();
    TRY_ASSIGN(std::string value, take_string());
    return add(*op, std::move(name), std::move(value));
  }

  Status add(MatchOp op, std::string name, std::string value) {
    const bool second_name = name == "__name__" && op == MatchOp::kEqual &&
                             std::any_of(matchers_.begin(), matchers_.end(), [](const Matcher& m) {
                               return m.name() == "__name__" && m.op() == MatchOp::kEqual;
                             });
    if (second_name) return error("expected one metric name, got a second");
    auto matcher = Matcher::create(op, std::move(name), std::move(value));
    if (!matcher) return fail(std::move(matcher).error().with_context(where()));
    matchers_.push_back(std::move(*matcher));
    return {};
  }

  Status refuse_match_all() const {
    for (const Matcher& matcher : matchers_) {
      if (!matcher.matches_empty()) return {};
    }
    return fail(Code::kInvalidArgument,
                "1:1: parse error: vector selector must contain at least one non-empty matcher");
  }

  std::string_view take_name(bool colons) {
    size_t end = at_;
    while (end < text_.size()) {
      const std::string_view so_far = text_.substr(at_, end + 1 - at_);
      if (!(colons ? model::is_legacy_metric_name(so_far) : model::is_legacy_label_name(so_far)))
        break;
      ++end;
    }
    const std::string_view name = text_.substr(at_, end - at_);
    at_ = end;
    return name;
  }

  std::optional<MatchOp> take_op() {
    const std::string_view rest = text_.substr(at_);
    const auto took = [&](std::string_view symbol) {
      if (!rest.starts_with(symbol)) return false;
      at_ += symbol.size();
      return true;
    };
    if (took("=~")) return MatchOp::kRegex;
    if (took("!~")) return MatchOp::kNotRegex;
    if (took("!=")) return MatchOp::kNotEqual;
    if (took("=")) return MatchOp::kEqual;
    return std::nullopt;
  }

  Result<std::string> take_string() {
    if (at_ >= text_.size()) return error("expected a quoted string");
    const char quote = text_[at_];
    if (quote != '"' && quote != '\'' && quote != '`') return error("expected a quoted string");
    ++at_;
    std::string out;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\n' && quote != '`')
        return error("expected the closing quote before the end of the line");
      if (c == '\\' && quote != '`') {
        TRY_ASSIGN(c, take_escape());
      }
      out.push_back(c);
    }
    if (!take(quote)) return error("expected the closing quote");
    return out;
  }

  Result<char> take_escape() {
    if (at_ >= text_.size()) return error("expected an escaped character");
    const char c = text_[at_++];
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case '\\':
      case '"':
      case '\'':
        return c;
      default:
        return error("expected one of \\n \\t \\r \\\\ \\\" \\'");
    }
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  std::string where() const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return fmt::format("{}:{}: parse error", line, at_ - line_start + 1);
  }

  Unexpected error(std::string_view expected) const {
    return fail(Code::kInvalidArgument, fmt::format("{}: {}", where(), expected));
  }

  const std::string_view text_;
  size_t at_ = 0;
  model::Matchers matchers_;
};

}  // namespace

Result<model::Matchers> parse_selector(std::string_view text) {
  if (text.size() > kMaxSelectorBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("parse selector: {} bytes, at most {} are taken", text.size(),
                            kMaxSelectorBytes));
  }
  return SelectorParser(text).parse();
}

Result<std::vector<model::Matchers>> parse_selectors(const std::vector<std::string_view>& texts) {
  std::vector<model::Matchers> out;
  for (const std::string_view text : texts) {
    TRY_ASSIGN(out.emplace_back(), parse_selector(text));
  }
  return out;
}

}  // namespace binnacle::query::promql
