#include "base/glob.h"

namespace binnacle {
namespace {

bool has_wildcard(std::string_view text) {
  return text.find_first_of("*?[\\") != std::string_view::npos;
}

// One character of a pattern's class; `rest` begins behind '['. False when it does not match or the
// class has no end.
bool matches_class(std::string_view& rest, char c) {
  const bool negated = !rest.empty() && (rest.front() == '^' || rest.front() == '!');
  if (negated) rest.remove_prefix(1);
  bool found = false;
  for (bool first = true; !rest.empty() && (first || rest.front() != ']'); first = false) {
    const char low = rest.front();
    rest.remove_prefix(1);
    char high = low;
    if (rest.size() >= 2 && rest[0] == '-' && rest[1] != ']') {
      high = rest[1];
      rest.remove_prefix(2);
    }
    found = found || (low <= c && c <= high);
  }
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  return found != negated;
}

// One character against the pattern's next element, which is not '*'.
bool takes_one(std::string_view& pattern, char c) {
  const char wanted = pattern.front();
  pattern.remove_prefix(1);
  if (wanted == '?') return true;
  if (wanted == '[') return matches_class(pattern, c);
  if (wanted != '\\' || pattern.empty()) return wanted == c;
  const char literal = pattern.front();
  pattern.remove_prefix(1);
  return literal == c;
}

void expand(FileSystem& files, const std::string& folder, std::string_view rest,
            std::vector<std::string>& out) {
  const size_t slash = rest.find('/');
  const std::string_view part = rest.substr(0, slash);
  const bool last = slash == std::string_view::npos;
  const auto descend = [&](std::string_view name) {
    const std::string path = folder + std::string(name);
    if (!last) return expand(files, path + "/", rest.substr(slash + 1), out);
    if (files.exists(path)) out.push_back(path);
  };
  if (!has_wildcard(part)) return descend(part);
  const auto entries = files.list(folder.empty() ? "." : folder);
  if (!entries) return;
  for (const DirEntry& entry : *entries) {
    if (matches_glob(part, entry.name) && (last || entry.is_directory)) descend(entry.name);
  }
}

}  // namespace

// Linear in the product of the lengths: only the last '*' is ever taken back.
bool matches_glob(std::string_view pattern, std::string_view name) {
  std::string_view after_star;
  std::string_view from_star;
  bool starred = false;
  while (!name.empty()) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      after_star = pattern;
      from_star = name;
      starred = true;
      continue;
    }
    if (!pattern.empty() && takes_one(pattern, name.front())) {
      name.remove_prefix(1);
      continue;
    }
    if (!starred) return false;
    from_star.remove_prefix(1);
    name = from_star;
    pattern = after_star;
  }
  while (!pattern.empty() && pattern.front() == '*') pattern.remove_prefix(1);
  return pattern.empty();
}

std::vector<std::string> expand_glob(FileSystem& files, const std::string& pattern) {
  std::vector<std::string> out;
  expand(files, "", pattern, out);
  return out;
}

}  // namespace binnacle
