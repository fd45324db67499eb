#include "watch/alerts/receivers/mime_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace binnacle::watch::alerts {
namespace {

constexpr size_t kMaxLine = 76;
constexpr size_t kMaxPlainHeader = 900;  // a line may have 998 with the field's name
constexpr std::string_view kWordBegin = "=?utf-8?q?";
constexpr std::string_view kWordEnd = "?=";
constexpr size_t kMaxWord = 75;

bool is_printable_ascii(char c) { return c >= ' ' && c <= '~'; }

std::string hex(char c) { return fmt::format("={:02X}", static_cast<unsigned char>(c)); }

// What stands in an encoded word as it is: everywhere allowed, in display names too.
bool is_word_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!*+-/").find(c) != std::string_view::npos;
}

std::string encoded_words(std::string_view text) {
  std::string out(kWordBegin);
  size_t used = kWordBegin.size();
  while (!text.empty()) {
    // A character is never parted: each word must be whole text.
    const size_t bytes = utf8_step(text).bytes;
    std::string piece;
    for (const char c : text.substr(0, bytes))
      piece += c == ' ' ? "_" : is_word_safe(c) ? std::string(1, c) : hex(c);
    if (used + piece.size() + kWordEnd.size() > kMaxWord) {
      out += kWordEnd;
      out += "\r\n ";
      out += kWordBegin;
      used = kWordBegin.size();
    }
    out += piece;
    used += piece.size();
    text.remove_prefix(bytes);
  }
  return out += kWordEnd;
}

std::string_view trimmed(std::string_view text) {
  const size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

// At commas outside of quotes and angle brackets.
std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> out;
  bool quoted = false;
  bool angled = false;
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == '<' || text[i] == '>')) {
      angled = text[i] == '<';
    } else if (!quoted && !angled && text[i] == ',') {
      out.push_back(text.substr(from, i - from));
      from = i + 1;
    }
  }
  out.push_back(text.substr(from));
  return out;
}

std::string unquoted(std::string_view name) {
  name = trimmed(name);
  if (name.size() < 2 || name.front() != '"' || name.back() != '"') return std::string(name);
  std::string out;
  name = name.substr(1, name.size() - 2);
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 1 < name.size()) ++i;
    out += name[i];
  }
  return out;
}

bool is_address(std::string_view text) {
  const size_t at = text.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == ',' ||
                  c == '\x7f';
         });
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  std::string out;
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool line_ends = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool blank = c == ' ' || c == '\t';
    const bool as_is = (is_printable_ascii(c) && c != '=' && !blank) || (blank && !line_ends);
    const std::string piece = as_is ? std::string(1, c) : hex(c);
    if (column + piece.size() > kMaxLine - 1) {  // the last column is for a soft line break
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  }
  return out;
}

std::string header_text(std::string_view value) {
  const bool plain = value.size() <= kMaxPlainHeader &&
                     std::all_of(value.begin(), value.end(),
                                 [](char c) { return is_printable_ascii(c) || c == '\t'; }) &&
                     value.find("=?") == std::string_view::npos;
  return plain ? std::string(value) : encoded_words(value);
}

std::string MailAddress::header() const {
  if (name.empty()) return address;
  if (!std::all_of(name.begin(), name.end(), is_printable_ascii))
    return encoded_words(name) + " <" + address + ">";
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\" <" + address + ">";
}

Result<std::vector<MailAddress>> parse_addresses(std::string_view text) {
  std::vector<MailAddress> out;
  for (const std::string_view part : split_list(text)) {
    std::string_view one = trimmed(part);
    MailAddress address;
    if (const size_t open = one.rfind('<'); open != std::string_view::npos && one.ends_with('>')) {
      address.name = unquoted(one.substr(0, open));
      one = trimmed(one.substr(open + 1, one.size() - open - 2));
    }
    address.address = one;
    if (!is_address(one)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("not an address: write name@host or Name <name@host> ({})",
                              to_valid_utf8(trimmed(part))));
    }
    out.push_back(std::move(address));
  }
  return out;
}

std::string address_header(const std::vector<MailAddress>& addresses) {
  std::string out;
  for (const MailAddress& one : addresses) out += (out.empty() ? "" : ",\r\n ") + one.header();
  return out;
}

}  // namespace binnacle::watch::alerts
