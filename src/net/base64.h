// Base64 (RFC 4648, 4), padded, as HTTP's credentials and WebSocket's keys are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace binnacle::net {

std::string encode_base64(std::string_view bytes);
// Line ends are passed over; nothing else may stand beside the text. nullopt: it is none.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace binnacle::net
