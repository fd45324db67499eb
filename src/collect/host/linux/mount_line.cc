#include "collect/host/linux/mount_line.h"

#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::host {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                        is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (!escape) {
      out += text[i];
      continue;
    }
    out +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
    i += 3;
  }
  return out;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const size_t comma = options.find(',');
    if (options.substr(0, comma) == wanted) return true;
    options = comma == std::string_view::npos ? std::string_view() : options.substr(comma + 1);
  }
  return false;
}

}  // namespace

std::optional<MountLine> parse_mount_line(std::string_view line) {
  const std::string_view device = next_field(line);
  const std::string_view mount_point = next_field(line);
  const std::string_view type = next_field(line);
  const std::string_view options = next_field(line);
  if (options.empty()) return std::nullopt;
  return MountLine{unescape(device), unescape(mount_point), std::string(type),
                   has_option(options, "ro")};
}

}  // namespace binnacle::collect::host
