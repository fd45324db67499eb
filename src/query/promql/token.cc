#include "query/promql/token.h"

#include <utility>

#include <fmt/format.h>

#include "query/promql/literal_text.h"

namespace binnacle::query::promql {
namespace {

using Keyword = std::pair<std::string_view, TokenKind>;

constexpr Keyword kKeywords[] = {
    {"and", TokenKind::kAnd},
    {"or", TokenKind::kOr},
    {"unless", TokenKind::kUnless},
    {"atan2", TokenKind::kAtan2},
    {"sum", TokenKind::kSum},
    {"avg", TokenKind::kAvg},
    {"count", TokenKind::kCount},
    {"min", TokenKind::kMin},
    {"max", TokenKind::kMax},
    {"group", TokenKind::kGroup},
    {"stddev", TokenKind::kStddev},
    {"stdvar", TokenKind::kStdvar},
    {"topk", TokenKind::kTopk},
    {"bottomk", TokenKind::kBottomk},
    {"count_values", TokenKind::kCountValues},
    {"quantile", TokenKind::kQuantile},
    {"limitk", TokenKind::kLimitk},
    {"limit_ratio", TokenKind::kLimitRatio},
    {"offset", TokenKind::kOffset},
    {"smoothed", TokenKind::kSmoothed},
    {"anchored", TokenKind::kAnchored},
    {"by", TokenKind::kBy},
    {"without", TokenKind::kWithout},
    {"on", TokenKind::kOn},
    {"ignoring", TokenKind::kIgnoring},
    {"group_left", TokenKind::kGroupLeft},
    {"group_right", TokenKind::kGroupRight},
    {"fill", TokenKind::kFill},
    {"fill_left", TokenKind::kFillLeft},
    {"fill_right", TokenKind::kFillRight},
    {"bool", TokenKind::kBool},
    {"start", TokenKind::kStart},
    {"end", TokenKind::kEndFunction},
    {"step", TokenKind::kStep},
    {"range", TokenKind::kRange},
    {"max_of", TokenKind::kMaxOf},
    {"min_of", TokenKind::kMinOf},
    {"inf", TokenKind::kNumber},
    {"nan", TokenKind::kNumber},
};
constexpr size_t kLongestKeyword = 12;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

}  // namespace

TokenKind keyword(std::string_view word) {
  if (word.size() > kLongestKeyword) return TokenKind::kIdentifier;
  const std::string name = lower(word);
  for (const auto& [text, kind] : kKeywords) {
    if (text == name) return kind;
  }
  return TokenKind::kIdentifier;
}

bool is_aggregation(TokenKind kind) { return kind >= TokenKind::kAvg && kind <= TokenKind::kTopk; }

std::string describe(const Token& token) {
  const auto kind = token.kind;
  const auto literal = [&](std::string_view what) {
    if (token.text.size() > 10) return fmt::format("{} {}...", what, quoted_prefix(token.text, 10));
    return fmt::format("{} {}", what, in_quotes(token.text));
  };
  if (kind == TokenKind::kEnd) return "end of input";
  if (kind == TokenKind::kError) return "error";
  if (kind == TokenKind::kIdentifier) return "identifier " + in_quotes(token.text);
  if (kind == TokenKind::kMetricIdentifier) return "metric identifier " + in_quotes(token.text);
  if (kind == TokenKind::kString) return literal("string");
  if (kind == TokenKind::kNumber) return literal("number");
  if (kind == TokenKind::kDuration) return literal("duration");
  if (is_aggregation(kind)) return fmt::format("<aggr:{}>", token.text);
  if (kind >= TokenKind::kAdd && kind <= TokenKind::kAt) return fmt::format("<op:{}>", token.text);
  if (kind >= TokenKind::kBool && kind <= TokenKind::kWithout)
    return fmt::format("<{}>", token.text);
  return in_quotes(token.text);
}

}  // namespace binnacle::query::promql
