#include "model/matcher.h"

#include <re2/re2.h>

#include <fmt/format.h>

namespace binnacle::model {
namespace {

constexpr std::string_view kOps[] = {"=", "!=", "=~", "!~"};

// RE2 refuses what would need more; one matcher never costs more memory than this.
constexpr int64_t kMaxRegexMemory = int64_t{8} << 20;

}  // namespace

Matcher::Matcher(MatchOp op, std::string name, std::string value)
    : op_(op), name_(std::move(name)), value_(std::move(value)) {}

Result<Matcher> Matcher::create(MatchOp op, std::string name, std::string value) {
  Matcher matcher(op, std::move(name), std::move(value));
  if (op == MatchOp::kRegex || op == MatchOp::kNotRegex) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(kMaxRegexMemory);
    auto regex = std::make_shared<RE2>("^(?s:" + matcher.value_ + ")$", options);
    if (!regex->ok()) {
      return fail(Code::kInvalidArgument, fmt::format("parse regex of matcher {}: {}",
                                                      matcher.to_string(), regex->error()));
    }
    matcher.regex_ = std::move(regex);
  }
  return matcher;
}

bool Matcher::matches(std::string_view value) const {
  switch (op_) {
    case MatchOp::kEqual:
      return value == value_;
    case MatchOp::kNotEqual:
      return value != value_;
    case MatchOp::kRegex:
      return RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
    case MatchOp::kNotRegex:
      return !RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return false;
}

std::string Matcher::to_string() const {
  std::string quoted;
  for (const char c : value_) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return fmt::format("{}{}\"{}\"", name_, kOps[static_cast<size_t>(op_)], quoted);
}

bool matches_all(const Matchers& matchers, LabelsView labels) {
  for (const Matcher& matcher : matchers) {
    if (!matcher.matches(labels.get(matcher.name()))) return false;
  }
  return true;
}

}  // namespace binnacle::model
