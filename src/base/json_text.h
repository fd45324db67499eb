// JSON strings written straight into a buffer, for writers that answer as they go. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace binnacle {

// Appends `bytes` as a quoted JSON string. Whatever the bytes, the result is valid JSON in valid
// UTF-8: a broken sequence becomes U+FFFD.
void append_json_string(std::string& out, std::string_view bytes);

}  // namespace binnacle
