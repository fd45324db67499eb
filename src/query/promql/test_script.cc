#include "query/promql/test_script.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "base/config_units.h"
#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
// Of a whole script: a test is small, and a typing error in a count must not take the memory.
constexpr size_t kMaxValues = 5'000'000;

std::string_view trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

// The first word, which is cut off `rest` with the blanks after it.
std::string_view take_word(std::string_view& rest) {
  rest = trimmed(rest);
  const std::string_view word = rest.substr(0, rest.find_first_of(kBlanks));
  rest = trimmed(rest.substr(word.size()));
  return word;
}

bool take_word(std::string_view& rest, std::string_view wanted) {
  std::string_view after = rest;
  if (take_word(after) != wanted) return false;
  rest = after;
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Trimmed, comments emptied: an empty line ends a block.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (true) {
    const size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    lines.push_back(line.starts_with('#') ? std::string_view() : line);
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

Result<TextPattern> regex_pattern(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const auto regex =
      std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!regex->ok())
    return fail(Code::kInvalidArgument, fmt::format("regex {}: {}", pattern, regex->error()));
  return TextPattern{std::nullopt, regex};
}

// `from A to B step S`, cut off `rest`.
Result<Steps> take_steps(std::string_view& rest) {
  Steps steps;
  const std::array<std::pair<std::string_view, int64_t*>, 3> parts{
      {{"from", &steps.start_ms}, {"to", &steps.end_ms}, {"step", &steps.step_ms}}};
  for (const auto& [word, target] : parts) {
    if (!take_word(rest, word))
      return fail(Code::kInvalidArgument,
                  fmt::format("expected from A to B step S (no {} before \"{}\")", word, rest));
    TRY_ASSIGN(*target, parse_duration_ms(take_word(rest)));
  }
  if (steps.end_ms < steps.start_ms)
    return fail(Code::kInvalidArgument, "the end lies before the start");
  if (steps.step_ms == 0) return fail(Code::kInvalidArgument, "the step must not be 0");
  return steps;
}

class ScriptParser {
 public:
  ScriptParser(std::string_view file, std::string_view text)
      : file_(file), lines_(lines_of(text)) {}

  Result<std::vector<ScriptCommand>> commands() {
    std::vector<ScriptCommand> all;
    for (; at_ < lines_.size(); ++at_) {
      if (lines_[at_].empty()) continue;
      ScriptCommand command{at_ + 1, {}};
      if (Status status = read_command(command); !status)
        return fail(std::move(status).error().with_context(fmt::format("{}:{}", file_, at_ + 1)));
      all.push_back(std::move(command));
    }
    return all;
  }

 private:
  Status read_command(ScriptCommand& command) {
    std::string_view rest = lines_[at_];
    const std::string word = lower(take_word(rest));
    if (word == "clear") return {};
    if (word.starts_with("load")) {
      TRY_ASSIGN(command.what, load(word, rest));
      return {};
    }
    if (word.starts_with("eval")) {
      TRY_ASSIGN(command.what, eval(word, rest));
      return {};
    }
    return fail(Code::kInvalidArgument,
                fmt::format("unknown command {} (clear, load, eval)", word.substr(0, 64)));
  }

  // True while the block goes on; then at_ is at that line.
  bool next_line() {
    if (at_ + 1 >= lines_.size() || lines_[at_ + 1].empty()) return false;
    ++at_;
    return true;
  }

  Status add_series(std::string_view line, std::vector<ScriptSeries>& all) {
    TRY_ASSIGN(ScriptSeries series, parse_script_series(line, kMaxValues - values_));
    values_ += series.values.size();
    const auto same = std::find_if(all.begin(), all.end(), [&](const ScriptSeries& other) {
      return other.labels == series.labels;
    });
    if (same == all.end()) {
      all.push_back(std::move(series));
    } else {
      *same = std::move(series);
    }
    return {};
  }

  Result<LoadCommand> load(std::string_view word, std::string_view rest) {
    LoadCommand load;
    load.with_custom_buckets = word == "load_with_nhcb";
    if (!load.with_custom_buckets && word != "load")
      return fail(Code::kInvalidArgument,
                  fmt::format("unknown command {} (load, load_with_nhcb)", word));
    TRY_ASSIGN(load.step_ms, parse_duration_ms(rest));
    while (next_line()) TRY(add_series(lines_[at_], load.series));
    return load;
  }

  Result<EvalCommand> eval(std::string_view word, std::string_view rest) {
    EvalCommand eval;
    TRY(take_eval_kind(word, eval));
    if (take_word(rest, "instant")) {
      if (take_word(rest, "at")) {
        TRY_ASSIGN(eval.steps.start_ms, parse_duration_ms(take_word(rest)));
      }
      eval.steps.end_ms = eval.steps.start_ms;
    } else if (take_word(rest, "range")) {
      eval.instant = false;
      TRY_ASSIGN(eval.steps, take_steps(rest));
    } else {
      return fail(Code::kInvalidArgument,
                  "eval: write eval instant [at T] EXPR or eval range from A to B step S EXPR");
    }
    if (rest.empty()) return fail(Code::kInvalidArgument, "eval: the expression is missing");
    eval.expr = rest;
    bool more = true;
    while (more && next_line()) {
      TRY_ASSIGN(more, result_line(lines_[at_], eval));
    }
    return eval;
  }

  Status take_eval_kind(std::string_view word, EvalCommand& eval) {
    if (word == "eval") return {};
    if (word == "eval_fail") {
      eval.must_fail = true;
    } else if (word == "eval_ordered") {
      eval.ordered = true;
    } else if (word == "eval_warn") {
      eval.warnings.some = true;
    } else if (word == "eval_info") {
      eval.infos.some = true;
    } else {
      return fail(Code::kInvalidArgument, fmt::format("unknown command {}", word.substr(0, 64)));
    }
    return {};
  }

  // False where the block ends with this line.
  Result<bool> result_line(std::string_view line, EvalCommand& eval) {
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (eval.must_fail && word == "expected_fail_message") {
      eval.failure.push_back({std::string(rest), nullptr});
      return false;
    }
    if (eval.must_fail && word == "expected_fail_regexp") {
      TRY_ASSIGN(TextPattern pattern, regex_pattern(rest));
      eval.failure.push_back(std::move(pattern));
      return false;
    }
    if (word == "expect") {
      TRY(expect_line(rest, eval));
      return true;
    }
    if (const Result<double> number = parse_script_number(line); number) {
      eval.scalar = *number;
      return false;
    }
    TRY(add_series(line, eval.series));
    if (eval.instant && !eval.range_vector && eval.series.back().values.size() > 1)
      return fail(Code::kInvalidArgument,
                  "an instant eval has one value a series; write `expect range vector from A to B "
                  "step S` before where a range vector is expected");
    return true;
  }

  Status expect_line(std::string_view rest, EvalCommand& eval) {
    const std::string_view what = take_word(rest);
    if (what == "range" && take_word(rest, "vector")) return expect_range_vector(rest, eval);
    if (what == "string") return expect_string(rest, eval);
    if (what == "ordered") {
      eval.ordered = true;
    } else if (what == "no_warn") {
      eval.warnings.none = true;
    } else if (what == "no_info") {
      eval.infos.none = true;
    } else if (what == "warn") {
      TRY(add_pattern(rest, eval.warnings.patterns));
    } else if (what == "info") {
      TRY(add_pattern(rest, eval.infos.patterns));
    } else if (what == "fail") {
      if (eval.must_fail) return fail(Code::kInvalidArgument, "expect fail stands there already");
      eval.must_fail = true;
      TRY(add_pattern(rest, eval.failure));
    } else {
      return fail(Code::kInvalidArgument, fmt::format("expect {}: unknown", what.substr(0, 64)));
    }
    for (const ExpectedAnnotations* kind : {&eval.warnings, &eval.infos}) {
      if (kind->none && !kind->patterns.empty())
        return fail(Code::kInvalidArgument, "expect: annotations are wanted and refused at once");
    }
    return {};
  }

  Status expect_range_vector(std::string_view rest, EvalCommand& eval) {
    if (!eval.instant)
      return fail(Code::kInvalidArgument, "expect range vector: of an instant eval alone");
    TRY_ASSIGN(const Steps steps, take_steps(rest));
    eval.range_vector = steps;
    eval.steps = {steps.end_ms, steps.end_ms, 0};
    return {};
  }

  Status expect_string(std::string_view rest, EvalCommand& eval) {
    const Result<ExprPtr> parsed = parse(rest);
    const auto* literal = parsed ? as<StringLiteral>(**parsed) : nullptr;
    if (literal == nullptr)
      return fail(Code::kInvalidArgument, "expect string: a quoted string must follow");
    eval.string = literal->value;
    return {};
  }

  Status add_pattern(std::string_view rest, std::vector<TextPattern>& patterns) {
    if (rest.empty()) {
      TRY_ASSIGN(TextPattern any, regex_pattern(""));
      patterns.push_back(std::move(any));
    } else if (rest.starts_with("msg:")) {
      patterns.push_back({std::string(trimmed(rest.substr(4))), nullptr});
    } else if (rest.starts_with("regex:")) {
      TRY_ASSIGN(TextPattern pattern, regex_pattern(trimmed(rest.substr(6))));
      patterns.push_back(std::move(pattern));
    } else {
      return fail(
          Code::kInvalidArgument,
          fmt::format("expect: msg: or regex: must stand before \"{}\"", rest.substr(0, 64)));
    }
    return {};
  }

  const std::string_view file_;
  const std::vector<std::string_view> lines_;
  size_t at_ = 0;      // the line being read
  size_t values_ = 0;  // of all series so far
};

}  // namespace

bool TextPattern::matches(std::string_view candidate) const {
  if (regex == nullptr) return text == candidate;
  return re2::RE2::PartialMatch(re2::StringPiece(candidate.data(), candidate.size()), *regex);
}

std::string TextPattern::to_string() const {
  if (regex == nullptr) return fmt::format("\"{}\"", text.value_or(""));
  return regex->pattern().empty() ? "any" : fmt::format("/{}/", regex->pattern());
}

Result<std::vector<ScriptCommand>> parse_test_script(std::string_view file, std::string_view text) {
  return ScriptParser(file, text).commands();
}

}  // namespace binnacle::query::promql
