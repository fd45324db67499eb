#include "collect/scrape/scrape_protocol.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/utf8.h"

namespace binnacle::collect::scrape {
namespace {

struct Known {
  ScrapeProtocol protocol;
  std::string_view name;
  std::string_view media_type;
  exposition::Format format;
};

constexpr Known kKnown[] = {
    {ScrapeProtocol::kOpenMetrics100, "OpenMetricsText1.0.0",
     "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
     exposition::Format::kOpenMetrics},
    {ScrapeProtocol::kOpenMetrics001, "OpenMetricsText0.0.1",
     "application/openmetrics-text;version=0.0.1", exposition::Format::kOpenMetrics},
    {ScrapeProtocol::kText100, "PrometheusText1.0.0",
     "text/plain;version=1.0.0;escaping=allow-utf-8", exposition::Format::kText},
    {ScrapeProtocol::kText004, "PrometheusText0.0.4", "text/plain;version=0.0.4",
     exposition::Format::kText},
};

const Known& known(ScrapeProtocol protocol) {
  return *std::ranges::find(kKnown, protocol, &Known::protocol);
}

constexpr std::string_view kBlanks = " \t";

void take_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// RFC 9110, 5.6.2. Empty where none begins.
std::string_view take_token(std::string_view& text) {
  const auto in_token = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  const auto size = static_cast<size_t>(std::ranges::find_if_not(text, in_token) - text.begin());
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(size);
  return token;
}

// A token or a quoted string, without its quotes.
std::optional<std::string> take_value(std::string_view& text) {
  if (!take(text, '"')) {
    const std::string_view token = take_token(text);
    return token.empty() ? std::nullopt : std::optional<std::string>(token);
  }
  std::string value;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\' && !text.empty()) {
      value += text.front();
      text.remove_prefix(1);
    } else {
      value += c;
    }
  }
  return std::nullopt;
}

// `type/subtype; name=value; ...`, with no name given two values; a last semicolon may stand alone.
// RFC 9110, 8.3.1.
bool is_media_type(std::string_view text) {
  take_blanks(text);
  if (take_token(text).empty() || !take(text, '/') || take_token(text).empty()) return false;
  std::map<std::string, std::string> parameters;
  for (take_blanks(text); !text.empty(); take_blanks(text)) {
    if (!take(text, ';')) return false;
    take_blanks(text);
    if (text.empty()) return true;
    std::string name = to_lower(take_token(text));
    if (name.empty() || !take(text, '=')) return false;
    const auto value = take_value(text);
    if (!value) return false;
    const auto [known, is_new] = parameters.emplace(std::move(name), *value);
    if (!is_new && known->second != *value) return false;
  }
  return true;
}

}  // namespace

std::vector<ScrapeProtocol> default_protocols() {
  std::vector<ScrapeProtocol> all;
  for (const Known& one : kKnown) all.push_back(one.protocol);
  return all;
}

std::optional<ScrapeProtocol> protocol_of(std::string_view name) {
  const auto* const found = std::ranges::find(kKnown, name, &Known::name);
  if (found == std::end(kKnown)) return std::nullopt;
  return found->protocol;
}

exposition::Format format_of(ScrapeProtocol protocol) { return known(protocol).format; }

std::string accept_header(const std::vector<ScrapeProtocol>& protocols) {
  std::string header;
  int weight = 6;  // tenths: as Prometheus, which knows five, has them
  for (const ScrapeProtocol protocol : protocols)
    header += fmt::format("{};q=0.{},", known(protocol).media_type, weight--);
  return header + fmt::format("*/*;q=0.{}", weight);
}

Result<exposition::Format> answer_format(std::string_view content_type,
                                         std::optional<ScrapeProtocol> fallback) {
  constexpr std::string_view kWayOut =
      " and the job sets no fallback_scrape_protocol; set PrometheusText0.0.4 there if the page is "
      "plain text";
  if (content_type.find_first_not_of(kBlanks) == std::string_view::npos) {
    if (fallback) return format_of(*fallback);
    return fail(Code::kInvalidArgument, fmt::format("the answer has no Content-Type{}", kWayOut));
  }
  if (!is_media_type(content_type)) {
    if (fallback) return format_of(*fallback);
    return fail(Code::kInvalidArgument,
                fmt::format("the answer's Content-Type \"{}\" cannot be parsed{}",
                            to_valid_utf8(content_type.substr(0, 100)), kWayOut));
  }
  auto format = exposition::format_of(content_type);
  if (format) return format;
  if (fallback) return format_of(*fallback);
  return fail(format.error().code,
              format.error().message + " Where it is, set fallback_scrape_protocol.");
}

}  // namespace binnacle::collect::scrape
