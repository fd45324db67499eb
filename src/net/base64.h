// Base64 (RFC 4648, 4), padded, as HTTP's credentials and WebSocket's keys are written.
#pragma once

#include <string>
#include <string_view>

namespace binnacle::net {

std::string encode_base64(std::string_view bytes);

}  // namespace binnacle::net
