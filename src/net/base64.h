// Base64 (RFC 4648), as HTTP's credentials and WebSocket's keys are written: padded, with the
// alphabet of section 4. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace binnacle::net {

std::string encode_base64(std::string_view bytes);
// Takes the alphabet for URLs (section 5) too, and text without padding; line ends are passed over.
// nullopt: not base64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace binnacle::net
