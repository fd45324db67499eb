// Vector selectors, and the label sets of series written out.
#include "query/promql/grammar.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

// A few bytes of text can make a program of megabytes, so that a long query could hold and compute
// without end before there is a meter to tell.
constexpr size_t kMostLargeRegexes = 200;

bool may_be_large(std::string_view regex) {
  return regex.find('{') != std::string_view::npos || regex.find("\\p") != std::string_view::npos ||
         regex.find("\\P") != std::string_view::npos;
}

std::optional<model::MatchOp> match_op(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEqual:
      return model::MatchOp::kEqual;
    case TokenKind::kNotEqual:
      return model::MatchOp::kNotEqual;
    case TokenKind::kEqualRegex:
      return model::MatchOp::kRegex;
    case TokenKind::kNotRegex:
      return model::MatchOp::kNotRegex;
    default:
      return std::nullopt;
  }
}

// RE2's reasons in the words that users of Prometheus look up, which are those of its Go sister.
std::string regex_problem(std::string_view reason, std::string_view regex) {
  struct Words {
    std::string_view re2;
    std::string_view go;
    bool whole;  // the message shows the whole regex, not a part
  };
  static constexpr Words kWords[] = {
      {"missing closing ]", "missing closing ]", false},
      {"missing ]", "missing closing ]", false},
      {"missing closing )", "missing closing )", true},
      {"missing )", "missing closing )", true},
      {"unexpected )", "unexpected )", true},
      {"trailing \\", "trailing backslash at end of expression", false},
      {"no argument for repetition operator", "missing argument to repetition operator", false},
      {"invalid repetition size", "invalid repeat count", false},
      {"bad repetition operator", "invalid nested repetition operator", false},
      {"invalid perl operator", "invalid or unsupported Perl syntax", false},
      {"invalid named capture group", "invalid named capture", false}};
  std::string_view part;
  if (const size_t colon = reason.find(": "); colon != std::string_view::npos) {
    part = reason.substr(colon + 2);
    reason = reason.substr(0, colon);
  }
  for (const Words& words : kWords) {
    if (words.re2 != reason) continue;
    reason = words.go;
    if (words.whole) part = regex;
    break;
  }
  return fmt::format("error parsing regexp: {}: `{}`", reason, part);
}

}  // namespace

bool may_name_function(TokenKind kind) {
  return kind == TokenKind::kIdentifier || (kind >= TokenKind::kStart && kind <= TokenKind::kMinOf);
}

bool may_name_metric(TokenKind kind) {
  switch (kind) {
    case TokenKind::kMetricIdentifier:
    case TokenKind::kAnd:
    case TokenKind::kOr:
    case TokenKind::kUnless:
    case TokenKind::kBy:
    case TokenKind::kFill:
    case TokenKind::kFillLeft:
    case TokenKind::kFillRight:
    case TokenKind::kOffset:
    case TokenKind::kSmoothed:
    case TokenKind::kAnchored:
    case TokenKind::kWithout:
      return true;
    default:
      return may_name_function(kind) || is_aggregation(kind);
  }
}

Result<ExprPtr> Grammar::vector_selector(const Token* name) {
  auto out = std::make_unique<VectorSelector>();
  out->position = name != nullptr ? name->position : peek().position;
  if (peek_kind() == TokenKind::kLeftBrace) {
    TRY(label_matchers(out->matchers));
    out->position.end = last_end_;
  }
  if (name != nullptr) {
    out->name = name->text;
    TRY_ASSIGN(model::Matcher matcher,
               model::Matcher::create(model::MatchOp::kEqual, "__name__", out->name));
    out->matchers.push_back(std::move(matcher));
  }
  return out;
}

Status Grammar::label_matchers(model::Matchers& out) {
  Expecting expecting(*this, "label matching", "identifier or \"}\"");
  TRY(require(TokenKind::kLeftBrace));
  while (!take_if(TokenKind::kRightBrace)) {
    expecting.now("identifier or \"}\"");
    TRY(label_matcher(out));
    expecting.now("\",\" or \"}\"");
    if (take_if(TokenKind::kComma)) continue;
    TRY(require(TokenKind::kRightBrace));
    break;
  }
  return {};
}

Status Grammar::label_matcher(model::Matchers& out) {
  const TokenKind kind = peek_kind();
  if (kind != TokenKind::kIdentifier && kind != TokenKind::kString) return unexpected();
  const bool quotes = kind == TokenKind::kString;
  const Token label = take();
  std::string name = quotes ? unquoted(label.text) : std::string(label.text);
  Expecting expecting(*this, "label matching",
                      quotes ? "\",\" or \"}\"" : "label matching operator");
  auto op = match_op(peek_kind());
  if (!op && !quotes) return unexpected();
  std::string value;
  PositionRange position = label.position;
  if (op) {
    take();
    expecting.now("string");
    if (peek_kind() != TokenKind::kString) return unexpected();
    const Token token = take();
    value = unquoted(token.text);
    position.end = token.position.end;
  } else {  // a string alone is the metric's name
    op = model::MatchOp::kEqual;
    value = std::exchange(name, "__name__");
  }
  const bool regex = *op == model::MatchOp::kRegex || *op == model::MatchOp::kNotRegex;
  if (regex && may_be_large(value) && ++large_regexes_ > kMostLargeRegexes) {
    return error(position, fmt::format("more than {} regular expressions of a query have "
                                       "repetitions {{n}} or classes \\p",
                                       kMostLargeRegexes));
  }
  auto matcher = model::Matcher::create(*op, name, value);
  if (!matcher) {
    const std::string message = std::move(matcher).error().message;
    // The matcher itself, which the message names first, may hold any text.
    const auto plain = model::Matcher::create(model::MatchOp::kEqual, name, value);
    const size_t matcher_size = plain->to_string().size() + 1;  // =~ for =
    const size_t reason = std::string_view("parse regex of matcher ").size() + matcher_size + 2;
    return error(position, regex_problem(std::string_view(message).substr(reason), value));
  }
  out.push_back(std::move(*matcher));
  return {};
}

Result<model::Labels> Grammar::label_set(std::string_view name) {
  model::LabelsBuilder out;
  if (peek_kind() == TokenKind::kLeftBrace) {
    take();
    Expecting expecting(*this, "label set", "identifier or \"}\"");
    while (!take_if(TokenKind::kRightBrace)) {
      expecting.now("identifier or \"}\"");
      TRY(label_set_item(out));
      expecting.now("\",\" or \"}\"");
      if (take_if(TokenKind::kComma)) continue;
      TRY(require(TokenKind::kRightBrace));
      break;
    }
  }
  if (!name.empty()) out.set("__name__", name);
  return out.build();
}

Status Grammar::label_set_item(model::LabelsBuilder& out) {
  const TokenKind kind = peek_kind();
  if (kind != TokenKind::kIdentifier && kind != TokenKind::kString) return unexpected();
  const bool quotes = kind == TokenKind::kString;
  const Token label = take();
  const std::string name = quotes ? unquoted(label.text) : std::string(label.text);
  Expecting expecting(*this, "label set", quotes ? "\",\" or \"}\"" : "\"=\"");
  if (quotes && peek_kind() != TokenKind::kEqual) {
    out.set("__name__", name);
    return {};
  }
  TRY(require(TokenKind::kEqual));
  expecting.now("string");
  if (peek_kind() != TokenKind::kString) return unexpected();
  out.set(name, unquoted(take().text));
  return {};
}

}  // namespace binnacle::query::promql
