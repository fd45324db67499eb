#include "query/promql/parser.h"

#include <algorithm>

#include <fmt/format.h>

#include "query/promql/grammar.h"
#include "query/promql/literal_text.h"
#include "query/promql/type_check.h"

namespace binnacle::query::promql {
namespace {

Status check_size(std::string_view text, size_t most) {
  if (text.size() <= most) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("parse query: {} bytes, at most {} are taken", text.size(), most));
}

Status refuse_match_all(const model::Matchers& matchers) {
  for (const model::Matcher& matcher : matchers) {
    if (!matcher.matches_empty()) return {};
  }
  return fail(Code::kInvalidArgument,
              "1:1: parse error: vector selector must contain at least one non-empty matcher");
}

}  // namespace

Result<ExprPtr> parse(std::string_view text, const ParseOptions& options) {
  TRY(check_size(text, options.max_bytes));
  TRY_ASSIGN(ExprPtr expr, Grammar(text, options).whole_expression());
  TRY(check_types(*expr, text));
  return expr;
}

Result<model::Matchers> parse_selector(std::string_view text) {
  const ParseOptions options;
  TRY(check_size(text, options.max_bytes));
  TRY_ASSIGN(model::Matchers matchers, Grammar(text, options).whole_selector());
  TRY(refuse_match_all(matchers));
  return matchers;
}

Result<std::vector<model::Matchers>> parse_selectors(const std::vector<std::string_view>& texts) {
  std::vector<model::Matchers> out;
  for (const std::string_view text : texts) {
    TRY_ASSIGN(out.emplace_back(), parse_selector(text));
  }
  return out;
}

Result<model::Labels> parse_metric(std::string_view text) {
  const ParseOptions options;
  TRY(check_size(text, options.max_bytes));
  return Grammar(text, options).whole_metric();
}

Result<int64_t> parse_promql_duration_ms(std::string_view text) {
  return Grammar(text, ParseOptions{}).whole_duration_ms();
}

std::string line_and_column(std::string_view text, uint32_t position) {
  if (text.empty()) return "unknown position";
  if (position > text.size()) return "invalid position";
  const std::string_view before = text.substr(0, position);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("{}:{}", 1 + std::count(before.begin(), before.end(), '\n'),
                     position - line_start + 1);
}

}  // namespace binnacle::query::promql
