#include "base/regex_replace.h"

#include "base/utf8.h"

#include <cctype>
#include <charconv>
#include <optional>
#include <vector>

namespace binnacle {
namespace {

// Reads the reference after a '$' of a replacement; `rest` moves behind it. nullopt: a literal '$'.
std::optional<std::string_view> take_group(std::string_view& rest) {
  const bool braced = !rest.empty() && rest.front() == '{';
  const size_t start = braced ? 1 : 0;
  size_t end = start;
  while (end < rest.size() &&
         (std::isalnum(static_cast<unsigned char>(rest[end])) || rest[end] == '_'))
    ++end;
  if (end == start || (braced && (end >= rest.size() || rest[end] != '}'))) return std::nullopt;
  const std::string_view group = rest.substr(start, end - start);
  rest.remove_prefix(end + (braced ? 1 : 0));
  return group;
}

int group_index(const re2::RE2& regex, std::string_view group) {
  int index = -1;
  const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), index);
  if (error == std::errc() && end == group.data() + group.size()) return index;
  const auto& names = regex.NamedCapturingGroups();
  const auto it = names.find(std::string(group));
  return it == names.end() ? -1 : it->second;
}

}  // namespace

void append_replacement(std::string& out, std::string_view replacement, const re2::RE2& regex,
                        std::span<const re2::StringPiece> groups, size_t max_bytes) {
  std::string_view rest = replacement;
  while (!rest.empty() && out.size() <= max_bytes) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '$') {
      out.push_back(c);
    } else if (!rest.empty() && rest.front() == '$') {
      out.push_back('$');
      rest.remove_prefix(1);
    } else if (const auto group = take_group(rest)) {
      const int index = group_index(regex, *group);
      if (index >= 0 && index < static_cast<int>(groups.size())) {
        const auto& match = groups[static_cast<size_t>(index)];
        out.append(match.data() == nullptr ? "" : match.data(), match.size());
      }
    } else {
      out.push_back('$');
    }
  }
}

std::string regex_replace_all(const re2::RE2& regex, std::string_view text,
                              std::string_view replacement, size_t max_bytes) {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  const re2::StringPiece subject(text.data(), text.size());
  std::string out;
  size_t copied = 0;  // of the text
  size_t from = 0;
  bool matched_before = false;
  while (from <= text.size() && out.size() <= max_bytes) {
    if (!regex.Match(subject, from, text.size(), re2::RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size())))
      break;
    const auto start = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = start + groups[0].size();
    // An empty match right behind another match is none.
    if (end > copied || start > copied || !matched_before) {
      out += text.substr(copied, start - copied);
      append_replacement(out, replacement, regex, groups, max_bytes);
      copied = end;
      matched_before = true;
    }
    from = end > from ? end : from + std::max<size_t>(utf8_step(text.substr(from)).bytes, 1);
  }
  out += text.substr(copied);
  return out;
}

}  // namespace binnacle
