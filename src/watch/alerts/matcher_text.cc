#include "watch/alerts/matcher_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/utf8.h"
#include "watch/alerts/matcher_grammars.h"

namespace binnacle::watch::alerts {
namespace {

constexpr size_t kShownBytes = 120;

std::string_view op_text(model::MatchOp op) {
  constexpr std::array<std::string_view, 4> kTexts = {"=", "!=", "=~", "!~"};
  return kTexts[static_cast<size_t>(op)];
}

bool needs_quotes(std::string_view name) {
  while (!name.empty()) {
    if (reserved_character(name) != 0) return true;
    name.remove_prefix(std::max<size_t>(utf8_step(name).bytes, 1));
  }
  return false;
}

std::string escape(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

bool same(const model::Matchers& a, const model::Matchers& b) {
  return std::ranges::equal(a, b, [](const model::Matcher& x, const model::Matcher& y) {
    return x.op() == y.op() && x.name() == y.name() && x.value() == y.value();
  });
}

Error about(std::string_view text, Error error) {
  const bool cut = text.size() > kShownBytes;
  error.message = fmt::format("matchers ({}{}): {}", to_valid_utf8(text.substr(0, kShownBytes)),
                              cut ? "..." : "", error.message);
  return error;
}

}  // namespace

Result<model::Matchers> parse_matchers(std::string_view text) {
  if (text.size() > kMaxMatcherTextBytes) {
    return fail(about(
        text, {Code::kInvalidArgument, fmt::format("too long: {} bytes are read, these are {}",
                                                   kMaxMatcherTextBytes, text.size())}));
  }
  if (!is_valid_utf8(text)) return fail(about(text, {Code::kInvalidArgument, "not UTF-8"}));
  auto newer = parse_utf8_matchers(text);
  auto older = parse_classic_matchers(text);
  if (!newer && !older) return fail(about(text, std::move(newer).error()));
  if (!newer) return older;
  if (older && !same(*newer, *older)) return older;
  return newer;
}

Result<model::Matcher> parse_matcher(std::string_view text) {
  if (text.starts_with('{') || text.ends_with('}')) {
    return fail(about(text, {Code::kInvalidArgument, "one matcher is wanted, without braces"}));
  }
  TRY_ASSIGN(model::Matchers matchers, parse_matchers(text));
  if (matchers.size() == 1) return std::move(matchers.front());
  return fail(about(text, {Code::kInvalidArgument,
                           fmt::format("one matcher is wanted, not {}", matchers.size())}));
}

std::string format_matcher(const model::Matcher& matcher) {
  const std::string name =
      needs_quotes(matcher.name()) ? fmt::format("\"{}\"", escape(matcher.name())) : matcher.name();
  return fmt::format("{}{}\"{}\"", name, op_text(matcher.op()), escape(matcher.value()));
}

std::string format_matchers(const model::Matchers& matchers) {
  std::string out = "{";
  for (const model::Matcher& matcher : matchers) {
    if (out.size() > 1) out += ',';
    out += format_matcher(matcher);
  }
  return out + '}';
}

void sort_matchers(model::Matchers& matchers) {
  std::ranges::stable_sort(matchers, [](const model::Matcher& a, const model::Matcher& b) {
    return std::forward_as_tuple(a.name(), a.value(), a.op()) <
           std::forward_as_tuple(b.name(), b.value(), b.op());
  });
}

}  // namespace binnacle::watch::alerts
