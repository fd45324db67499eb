#include "collect/scrape/scrape_protocol.h"

#include <algorithm>

#include <fmt/format.h>

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
  const bool is_missing = content_type.find_first_not_of(" \t") == std::string_view::npos;
  if (fallback && is_missing) return format_of(*fallback);
  auto format = exposition::format_of(content_type);
  if (format) return format;
  if (fallback) return format_of(*fallback);
  return fail(format.error().code,
              format.error().message + " Where it is, set fallback_scrape_protocol.");
}

}  // namespace binnacle::collect::scrape
