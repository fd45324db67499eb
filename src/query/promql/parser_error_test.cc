// What the parser refuses, and in which words: Prometheus' users search for them.
#include "query/promql/parser.h"

#include <gtest/gtest.h>

namespace binnacle::query::promql {
namespace {

std::string refusal(std::string_view text, const ParseOptions& options = {.experimental = true}) {
  const auto expr = parse(text, options);
  if (expr) return "taken";
  const std::string& message = expr.error().message;
  const size_t at = message.find(": parse error: ");
  if (at == std::string::npos) return message;
  return message.substr(0, at) + " " + message.substr(at + 15);
}

std::string stable(std::string_view text) { return refusal(text, {}); }

TEST(ParserErrors, WhatTheLexerRefuses) {
  EXPECT_EQ(refusal("(a"), "1:3 unclosed left parenthesis");
  EXPECT_EQ(refusal("a)"), "1:3 unexpected right parenthesis ')'");
  EXPECT_EQ(refusal("a ]"), "1:3 unexpected right bracket ']'");
  EXPECT_EQ(refusal("a[5m"), "1:5 unclosed left bracket");
  EXPECT_EQ(refusal("a["), "1:3 unexpected end of input in duration expression");
  EXPECT_EQ(refusal("a[5m[1m]]"), "1:5 unexpected left bracket '['");
  EXPECT_EQ(refusal("a[:1m]"), "1:4 unexpected colon before duration in duration expression");
  EXPECT_EQ(refusal("a[x]"), "1:3 unexpected character in duration expression: 'x'");
  EXPECT_EQ(refusal("a[5m x]"), "1:6 unexpected character: 'x', expected ':'");
  EXPECT_EQ(refusal("a[5m:1m:1m]"), "1:8 unexpected colon ':'");
  EXPECT_EQ(refusal("a{b"), "1:4 unexpected end of input inside braces");
  EXPECT_EQ(refusal("a{{"), "1:3 unexpected left brace '{'");
  EXPECT_EQ(refusal("a{b!c}"), "1:4 unexpected character after '!' inside braces: 'c'");
  EXPECT_EQ(refusal("a{+}"), "1:3 unexpected character inside braces: '+'");
  EXPECT_EQ(refusal("a ! b"), "1:3 unexpected character after '!': ' '");
  EXPECT_EQ(refusal("a =~ b"), "1:3 unexpected character after '=': '~'");
  EXPECT_EQ(refusal("a \xE2\x82\xAC"), "1:3 unexpected character: '\xE2\x82\xAC'");
  EXPECT_EQ(refusal("a \xFF"), "1:3 unexpected character: '\xEF\xBF\xBD'");
  EXPECT_EQ(refusal("a \xC2\xA0"), "1:3 unexpected character: '\\u00a0'");
  EXPECT_EQ(refusal("5x"), R"(1:1 bad number or duration syntax: "5")");
  EXPECT_EQ(refusal("5mx"), R"(1:1 bad number or duration syntax: "5mx")");
  EXPECT_EQ(refusal("1..2"), R"(1:1 bad number or duration syntax: "1..")");
  EXPECT_EQ(refusal("1e5e"), R"(1:1 bad number or duration syntax: "1e5e")");
}

TEST(ParserErrors, StringsAndNumbers) {
  EXPECT_EQ(refusal("\"a\nb\""), "1:1 unterminated quoted string");
  EXPECT_EQ(refusal("a + `b"), "1:5 unterminated raw string");
  EXPECT_EQ(refusal(R"("\q")"), "1:1 unknown escape sequence U+0071 'q'");
  EXPECT_EQ(refusal(R"('\"')"), "1:1 unknown escape sequence U+0022 '\"'");
  EXPECT_EQ(refusal(R"("\xg")"), "1:1 illegal character U+0067 'g' in escape sequence");
  EXPECT_EQ(refusal(R"("\u12)"), "1:1 escape sequence not terminated");
  EXPECT_EQ(refusal(R"("\ud800")"), "1:1 escape sequence is an invalid Unicode code point");
  EXPECT_EQ(refusal(R"("\400")"), "1:1 escape sequence is an invalid Unicode code point");
  EXPECT_EQ(refusal("\"\xFF\""), "1:1 invalid UTF-8 rune");
  EXPECT_EQ(refusal("1e400"),
            R"(1:1 error parsing number: strconv.ParseFloat: parsing "1e400": value out of range)");
  EXPECT_EQ(refusal("1 + 0x"),
            R"(1:5 error parsing number: strconv.ParseFloat: parsing "0x": invalid syntax)");
  EXPECT_EQ(refusal("1__0"), R"(1:1 bad number or duration syntax: "1__")");
  EXPECT_EQ(refusal("1_ "),
            R"(1:1 error parsing number: strconv.ParseFloat: parsing "1_": invalid syntax)");
  EXPECT_EQ(refusal("1m1h"), R"(1:1 not a valid duration string: "1m1h")");
  EXPECT_EQ(refusal("5ys"), R"(1:1 unknown unit "ys" in duration "5ys")");
  EXPECT_EQ(refusal("1000y"), "1:1 duration out of range");
}

TEST(ParserErrors, TheInnermostRuleSaysWhatWasExpected) {
  EXPECT_EQ(refusal(""), "unknown position no expression found in input");
  EXPECT_EQ(refusal(" # only\n"), "1:1 no expression found in input");
  EXPECT_EQ(refusal("a b"), R"(1:3 unexpected identifier "b")");
  EXPECT_EQ(refusal("a x:y"), R"(1:3 unexpected metric identifier "x:y")");
  EXPECT_EQ(refusal("a \"long string\""), R"(1:3 unexpected string "\"long stri"...)");
  EXPECT_EQ(refusal("a +"), "1:4 unexpected end of input");
  EXPECT_EQ(refusal("+ * a"), "1:3 unexpected <op:*>");
  EXPECT_EQ(refusal("a by b"), "1:3 unexpected <by>");
  EXPECT_EQ(refusal("sum a"), R"(1:5 unexpected identifier "a")");
  EXPECT_EQ(refusal("sum(a b)"), R"(1:7 unexpected identifier "b" in aggregation)");
  EXPECT_EQ(refusal("sum(rate(a[5m]) sum)"), "1:17 unexpected <aggr:sum> in aggregation");
  EXPECT_EQ(refusal("sum by (a) b"), R"(1:12 unexpected identifier "b" in aggregation)");
  EXPECT_EQ(refusal("sum(a) by b"),
            R"(1:11 unexpected identifier "b" in grouping opts, expected "(")");
  EXPECT_EQ(refusal("sum(a) by (1)"),
            R"(1:12 unexpected number "1" in grouping opts, expected label)");
  EXPECT_EQ(refusal("sum(a) by (b c)"),
            R"x(1:14 unexpected identifier "c" in grouping opts, expected "," or ")")x");
  EXPECT_EQ(refusal("sum by (without) (a)"),
            "1:9 unexpected <without> in grouping opts, expected label");
  EXPECT_EQ(refusal("sum by (\"\") (a)"), R"(1:9 invalid label name for grouping: "")");
  EXPECT_EQ(refusal("a + on b"), R"(1:8 unexpected identifier "b" in grouping opts, expected "(")");
  EXPECT_EQ(refusal("a + on (b) group_left ="),
            R"(1:23 unexpected "=" in grouping opts, expected "(")");
  EXPECT_EQ(refusal("a{1}"), "1:3 unexpected character inside braces: '1'");
  EXPECT_EQ(refusal("a{,}"), R"(1:3 unexpected "," in label matching, expected identifier or "}")");
  EXPECT_EQ(refusal("a{b}"),
            R"(1:4 unexpected "}" in label matching, expected label matching operator)");
  EXPECT_EQ(refusal("a{b=c}"),
            R"(1:5 unexpected identifier "c" in label matching, expected string)");
  EXPECT_EQ(refusal("a{'b' c}"),
            R"(1:7 unexpected identifier "c" in label matching, expected "," or "}")");
  EXPECT_EQ(refusal("a{b='c' d}"),
            R"(1:9 unexpected identifier "d" in label matching, expected "," or "}")");
}

TEST(ParserErrors, AroundModifiers) {
  EXPECT_EQ(refusal("a offset b"), R"(1:10 unexpected identifier "b" in offset, expected number, )"
                                   "duration, step(), or range()");
  EXPECT_EQ(refusal("a offset (1m) - b"),
            R"(1:17 unexpected identifier "b" in offset, expected number, duration, step(), or )"
            "range()");
  EXPECT_EQ(refusal("a @ b"), R"(1:5 unexpected identifier "b" in @, expected timestamp)");
  EXPECT_EQ(refusal("a @ start"), "1:10 unexpected end of input in @, expected timestamp");
  EXPECT_EQ(refusal("a @ Inf"), "1:1 timestamp out of bounds for @ modifier: +Inf");
  EXPECT_EQ(refusal("a @ 1 @ 2"), "1:1 @ <timestamp> may not be set multiple times");
  EXPECT_EQ(refusal("a offset 1m offset 1m"), "1:1 offset may not be set multiple times");
  EXPECT_EQ(refusal("1 offset 1m"),
            "1:1 offset modifier must be preceded by an instant vector selector or range vector "
            "selector or a subquery");
  EXPECT_EQ(refusal("(a) @ 1"),
            "1:1 @ modifier must be preceded by an instant vector selector or range vector "
            "selector or a subquery");
  EXPECT_EQ(refusal("(a)[5m]"), "1:4 ranges only allowed for vector selectors");
  EXPECT_EQ(refusal("a offset 1m [5m]"), "1:13 no offset modifiers allowed before range");
  EXPECT_EQ(refusal("a @ 1 [5m]"), "1:7 no @ modifiers allowed before range");
  EXPECT_EQ(refusal("a[]"), R"(1:3 unexpected "]" in subquery or range selector, expected number, )"
                            "duration, step(), or range()");
  EXPECT_EQ(refusal("a[5m 5m]"), R"(1:6 unexpected duration "5m" in subquery or range, expected )"
                                 R"(":" or "]")");
  EXPECT_EQ(refusal("a[5m:1m 1m]"),
            R"(1:9 unexpected duration "1m" in subquery selector, expected "]")");
  EXPECT_EQ(refusal("a[5m:*]"),
            "1:6 unexpected <op:*> in subquery selector, expected number, "
            R"(duration, step(), range(), or "]")");
  EXPECT_EQ(refusal("a[0]"), "1:3 duration must be greater than 0");
  EXPECT_EQ(refusal("a[5m:-1m]"), "1:6 duration must be greater than 0");
  EXPECT_EQ(refusal("a[1e10]"), "1:3 duration out of range");
  EXPECT_EQ(refusal("a[5m/0]"), "1:5 division by zero");
  EXPECT_EQ(refusal("a[5m%0s]"), "1:5 modulo by zero");
  EXPECT_EQ(refusal("a anchored smoothed"),
            "1:1 anchored and smoothed modifiers cannot be used together");
  EXPECT_EQ(refusal("a[5m:] smoothed"), "1:1 smoothed modifier is not supported for subqueries");
  EXPECT_EQ(refusal("1 anchored"), "1:1 anchored modifier not implemented");
}

TEST(ParserErrors, Calls) {
  EXPECT_EQ(refusal("nope(a)"), R"(1:1 unknown function with name "nope")");
  EXPECT_EQ(refusal("nope(a) $"), R"(1:1 unknown function with name "nope")");
  EXPECT_EQ(refusal("abs(a,)"), "1:6 trailing commas not allowed in function call args");
  EXPECT_EQ(refusal("abs()"), R"(1:1 expected 1 argument(s) in call to "abs", got 0)");
  EXPECT_EQ(refusal("round()"), R"(1:1 expected at least 1 argument(s) in call to "round", got 0)");
  EXPECT_EQ(refusal("hour(a, b)"),
            R"(1:1 expected at most 1 argument(s) in call to "hour", got 2)");
  EXPECT_EQ(refusal("1 + rate(a)"),
            R"(1:10 expected type range vector in call to function "rate", got instant vector)");
  EXPECT_EQ(refusal("label_join(a, 'x', ',', 'y', 1)"),
            R"(1:30 expected type string in call to function "label_join", got scalar)");
  EXPECT_EQ(refusal("sum()"), "1:1 no arguments for aggregate expression provided");
  EXPECT_EQ(refusal("topk(a)"),
            "1:1 wrong number of arguments for aggregate expression provided, expected 2, got 1");
  EXPECT_EQ(refusal("topk('x', a)"),
            "1:6 expected type scalar in aggregation parameter, got string");
  EXPECT_EQ(refusal("sum(1)"),
            "1:5 expected type instant vector in aggregation expression, got scalar");
  EXPECT_EQ(refusal("info(a, b)"),
            "1:9 expected label selectors only, got vector selector instead");
  EXPECT_EQ(refusal("info(a, a + b)"), "1:9 expected label selectors only");
  EXPECT_EQ(refusal("info(a, 1)"),
            R"(1:1 expected type instant vector in call to function "info", got scalar)");
  EXPECT_EQ(refusal("info(a, {})"), "taken");
}

TEST(ParserErrors, OperatorsAndTypes) {
  EXPECT_EQ(refusal("1 == 1"), "1:3 comparisons between scalars must use BOOL modifier");
  EXPECT_EQ(refusal("1 ==  bool 1"), "taken");
  EXPECT_EQ(refusal("a  + bool b"), "1:4 bool modifier can only be used on comparison operators");
  EXPECT_EQ(refusal("a and 1"),
            R"(1:1 set operator "and" not allowed in binary scalar expression)");
  EXPECT_EQ(refusal("a + 'x'"),
            "1:5 binary expression must contain only scalar and instant vector types");
  EXPECT_EQ(refusal("a[5m] + 1"),
            "1:1 binary expression must contain only scalar and instant vector types");
  EXPECT_EQ(refusal("a + on (x) 1"), "1:1 vector matching only allowed between instant vectors");
  EXPECT_EQ(refusal("a + fill (1) 1"),
            "1:1 filling in missing series only allowed between instant vectors");
  EXPECT_EQ(refusal("a or fill (1) b"),
            "1:1 filling in missing series not allowed for set operators");
  EXPECT_EQ(refusal("a and on (x) group_left b"), R"(1:1 no grouping allowed for "and" operation)");
  EXPECT_EQ(refusal("a + on (x) group_left (x) b"),
            R"(1:3 label "x" must not occur in ON and GROUP clause at once)");
  EXPECT_EQ(refusal("-'x'"),
            "1:1 unary expression only allowed on expressions of type scalar or "
            R"(instant vector, got "string")");
  EXPECT_EQ(refusal("1[5m:]"),
            "1:1 subquery is only allowed on instant vector, got scalar instead");
  EXPECT_EQ(refusal("{a=~'.*'}"),
            "1:1 vector selector must contain at least one non-empty matcher");
  EXPECT_EQ(refusal("a{__name__='b'}"), R"(1:1 metric name must not be set twice: "a" or "b")");
}

TEST(ParserErrors, Regexes) {
  EXPECT_EQ(refusal("a{b=~'('}"), "1:3 error parsing regexp: missing closing ): `(`");
  EXPECT_EQ(refusal("a{b=~'[: x'}"), "1:3 error parsing regexp: missing closing ]: `[: x)$`");
  EXPECT_EQ(refusal("a{b=~'*: \"'}"),
            "1:3 error parsing regexp: missing argument to repetition operator: `*`");
}

TEST(ParserErrors, TheExperimentalIsOffAtFirst) {
  EXPECT_EQ(stable("info(a)"), R"(1:1 function "info" is not enabled)");
  EXPECT_EQ(stable("limitk(1, a)"),
            "1:1 limitk() is experimental and must be enabled with "
            "--enable-feature=promql-experimental-functions");
  EXPECT_EQ(stable("a + fill (1) b"), "1:1 binop fill modifiers are experimental and not enabled");
  EXPECT_EQ(stable("a anchored"), "1:1 anchored modifier is experimental and not enabled");
  EXPECT_EQ(stable("a[5m] smoothed"), "1:1 smoothed modifier is experimental and not enabled");
  EXPECT_EQ(stable("a[5m*2]"), "1:3 experimental duration expression is not enabled");
  EXPECT_EQ(stable("a[(5m)]"), "1:4 experimental duration expression is not enabled");
  EXPECT_EQ(stable("a offset step()"), "1:10 experimental duration expression is not enabled");
  EXPECT_EQ(stable("a offset -range()"), "1:10 experimental duration expression is not enabled");
  EXPECT_EQ(stable("fill + step * on (x) anchored_total"), "taken");
}

TEST(ParserErrors, TheFirstInReadingOrderCounts) {
  EXPECT_EQ(refusal("nope(a) + $"), R"(1:1 unknown function with name "nope")");
  EXPECT_EQ(refusal("topk(a) $"), "1:9 unexpected character: '$'");
  EXPECT_EQ(refusal("a\n+\n\nb c"), R"(4:3 unexpected identifier "c")");
}

}  // namespace
}  // namespace binnacle::query::promql
