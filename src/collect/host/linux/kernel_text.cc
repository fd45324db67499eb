#include "collect/host/linux/kernel_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace binnacle::collect::host {
namespace {

constexpr size_t kShownBytes = 60;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_space(char c) { return is_blank(c) || c == '\n' || c == '\r'; }

template <typename T>
std::optional<T> parse_whole(std::string_view text, auto... how) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, how...);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

bool next_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  const size_t end = rest.find('\n');
  line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return true;
}

std::string_view next_field(std::string_view& rest) {
  size_t begin = 0;
  while (begin < rest.size() && is_blank(rest[begin])) ++begin;
  size_t end = begin;
  while (end < rest.size() && !is_blank(rest[end])) ++end;
  const std::string_view field = rest.substr(begin, end - begin);
  rest = rest.substr(end);
  return field;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  // Nearly all are plain counters, and integers parse several times faster than floats.
  if (const auto whole = parse_whole<uint64_t>(text)) return static_cast<double>(*whole);
  const auto value = parse_whole<double>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  if (text.starts_with("0x")) return parse_whole<int64_t>(text.substr(2), 16);
  return parse_whole<int64_t>(text);
}

// Arguments are ended by NUL; a program that rewrites its title leaves blanks or nothing behind.
std::string command_line(std::string raw) {
  constexpr size_t kMaxBytes = 4096;
  raw.resize(std::min(raw.size(), kMaxBytes));
  while (!raw.empty() && (raw.back() == '\0' || raw.back() == ' ')) raw.pop_back();
  std::ranges::replace(raw, '\0', ' ');
  return raw;
}

bool is_pid(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

void Faults::bad(std::string_view path, std::string_view what, std::string_view value) {
  if (any()) return;
  first_ = fail(Code::kDataLoss, fmt::format("read {}: cannot make sense of {} ({})", path, what,
                                             value.substr(0, kShownBytes)));
}

void Faults::add(const Status& status) {
  if (!any() && !status) first_ = status;
}

}  // namespace binnacle::collect::host
