// The forms in which a target may be asked for its page, under the names that Prometheus'
// configuration has for them. Protobuf is not spoken. Pure. Source: Prometheus documentation,
// "<scrape_config>", "Content negotiation".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "collect/exposition/exposition.h"

namespace binnacle::collect::scrape {

enum class ScrapeProtocol : uint8_t { kOpenMetrics100, kOpenMetrics001, kText100, kText004 };

// In the order in which a target is asked where nothing is configured.
std::vector<ScrapeProtocol> default_protocols();

// By Prometheus' name; nullopt for any other, PrometheusProto among them.
std::optional<ScrapeProtocol> protocol_of(std::string_view name);

exposition::Format format_of(ScrapeProtocol protocol);

// The first is liked best; whatever else comes is better than nothing.
std::string accept_header(const std::vector<ScrapeProtocol>& protocols);

// How to read an answer. A type that is missing, broken or not one of ours is read as `fallback`;
// without one it is kInvalidArgument, with the way out, as in Prometheus 3.
Result<exposition::Format> answer_format(std::string_view content_type,
                                         std::optional<ScrapeProtocol> fallback);

}  // namespace binnacle::collect::scrape
