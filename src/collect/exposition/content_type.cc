#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "collect/exposition/exposition.h"

namespace binnacle::collect::exposition {

Result<Format> format_of(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  type.erase(0, std::min(type.find_first_not_of(" \t"), type.size()));
  type.erase(type.find_last_not_of(" \t") + 1);
  if (type == "application/openmetrics-text") return Format::kOpenMetrics;
  if (type.empty() || type == "text/plain") return Format::kText;
  return fail(Code::kInvalidArgument,
              fmt::format("expected metrics as text/plain or application/openmetrics-text, got "
                          "Content-Type \"{}\": is this the metrics page?",
                          to_valid_utf8(type.substr(0, 100))));
}

}  // namespace binnacle::collect::exposition
