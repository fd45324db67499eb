// The grammar of PromQL: recursive descent over the tokens of one query, precedence climbing for
// operators. It stops at the first error, which is the one that Prometheus reports: what counts as
// "expected" is told by the innermost rule that has an opinion (Expecting). Checks all that can be
// told without types; type_check.h does the rest. One query's; not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "query/promql/ast.h"
#include "query/promql/lexer.h"
#include "query/promql/parser.h"

namespace binnacle::query::promql {

class Grammar {
 public:
  // `text` outlives this.
  Grammar(std::string_view text, const ParseOptions& options)
      : text_(text), options_(options), lexer_(text) {}

  Result<ExprPtr> whole_expression();
  Result<model::Matchers> whole_selector();
  Result<model::Labels> whole_metric();
  Result<int64_t> whole_duration_ms();

 private:
  // What an unexpected token is said to stand in and in the place of, while this lives.
  class Expecting;
  struct Expectation {
    std::string_view where;
    std::string_view what;
  };

  // Expressions: grammar_expressions.cc
  Result<ExprPtr> expression(int min_precedence);
  Result<ExprPtr> operand();
  Result<ExprPtr> unary();
  Result<ExprPtr> primary();
  Result<ExprPtr> parenthesized();
  Result<ExprPtr> binary(ExprPtr lhs, BinaryOp op, int rhs_precedence);
  Result<ExprPtr> call(const Token& name);
  Result<ExprPtr> aggregation(const Token& op);
  Result<ExprPtr> make_aggregation(const Token& op, Grouping grouping, std::vector<ExprPtr> args,
                                   PositionRange position);
  Result<std::vector<ExprPtr>> arguments();
  Result<std::unique_ptr<NumberLiteral>> number_literal();

  // Operator modifiers: grammar_modifiers.cc
  Status binary_modifiers(BinaryExpr& out);
  Status fill_modifiers(VectorMatching& out);
  Result<double> fill_value();
  Result<Grouping> grouping();
  Result<std::vector<std::string>> grouping_labels();
  Result<std::string> grouping_label();

  // Selectors: grammar_selectors.cc
  Result<ExprPtr> vector_selector(const Token* name);  // null: braces follow
  Status label_matchers(model::Matchers& out);
  Status label_matcher(model::Matchers& out);
  Result<model::Labels> label_set(std::string_view name);
  Status label_set_item(model::LabelsBuilder& out);

  // What follows an expression: grammar_postfix.cc
  Result<ExprPtr> postfix(ExprPtr expr);
  Result<ExprPtr> range_or_subquery(ExprPtr expr);
  Result<ExprPtr> subquery(ExprPtr expr, Duration range, Expecting& expecting);
  Result<ExprPtr> matrix_selector(ExprPtr expr, Duration range, PositionRange brackets);
  Status offset(Expr& expr);
  Status at_modifier(Expr& expr);
  Result<AtModifier> at_time(const Expr& expr);
  Result<double> signed_number();
  Status extended_range(const Token& word, Expr& expr);

  // Durations: grammar_durations.cc
  Result<ExprPtr> duration_expression(int min_precedence);
  Result<ExprPtr> duration_operators(ExprPtr lhs, int min_precedence);
  Result<ExprPtr> duration_operand();
  Result<ExprPtr> duration_literal();
  Result<ExprPtr> duration_parens();
  Result<ExprPtr> duration_function(const Token* sign);
  Result<ExprPtr> duration_binary(const Token& op, ExprPtr lhs, ExprPtr rhs);
  Result<ExprPtr> signed_duration(const Token& sign, ExprPtr expr);
  Result<ExprPtr> offset_duration();
  Result<ExprPtr> signed_offset_duration(const Token& sign);
  Result<Duration> positive_duration();
  Result<Duration> to_duration(ExprPtr expr);
  Result<ExprPtr> in_range(std::unique_ptr<NumberLiteral> number, PositionRange at);
  Status require_experimental_duration(PositionRange at);

  // Tokens and errors: grammar.cc. A token is read only when a rule looks at it, so that what a
  // rule refuses comes before what the lexer refuses behind it.
  const Token& peek();
  TokenKind peek_kind() { return peek().kind; }
  Token take();
  bool take_if(TokenKind kind);
  Status require(TokenKind kind);  // takes it
  Unexpected unexpected();
  Unexpected error(PositionRange at, std::string_view what);
  Status end_of_input();
  // Sets the height of `parent`, whose children are set.
  Status settle(Expr& parent, std::initializer_list<const Expr*> children);
  class Nesting;

  const std::string_view text_;
  const ParseOptions options_;
  Lexer lexer_;
  Token token_;
  bool has_token_ = false;
  Expectation expectation_;
  uint32_t last_end_ = 0;  // of the token taken last
  size_t depth_ = 0;
  size_t large_regexes_ = 0;
};

class Grammar::Expecting {
 public:
  Expecting(Grammar& grammar, std::string_view where, std::string_view what)
      : grammar_(grammar), outer_(std::exchange(grammar.expectation_, {where, what})) {}
  ~Expecting() { grammar_.expectation_ = outer_; }
  Expecting(const Expecting&) = delete;
  Expecting& operator=(const Expecting&) = delete;
  void now(std::string_view what) { grammar_.expectation_.what = what; }
  void now(std::string_view where, std::string_view what) { grammar_.expectation_ = {where, what}; }

 private:
  Grammar& grammar_;
  const Expectation outer_;
};

class Grammar::Nesting {
 public:
  explicit Nesting(Grammar& grammar) : grammar_(grammar) { ++grammar_.depth_; }
  ~Nesting() { --grammar_.depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  Status check() const;

 private:
  Grammar& grammar_;
};

// Keywords that are names where an expression starts.
bool may_name_function(TokenKind kind);
bool may_name_metric(TokenKind kind);
bool starts_expression(TokenKind kind);

// Shared by expressions and durations; higher binds tighter.
inline constexpr int kLowestPrecedence = 1;
inline constexpr int kAdditivePrecedence = 4;
inline constexpr int kProductPrecedence = 5;
inline constexpr int kPowerPrecedence = 6;

}  // namespace binnacle::query::promql
