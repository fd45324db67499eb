// SHA-256 and comparison that tells nothing by its time; for secrets and the audit chain. Pure
// functions.
#pragma once

#include <string>
#include <string_view>

namespace binnacle::store::access {

inline constexpr size_t kSha256Bytes = 32;

std::string sha256(std::string_view bytes);  // 32 raw bytes
std::string to_hex(std::string_view bytes);  // lower case

// Takes as long for a wrong first byte as for a wrong last one. False when the sizes differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace binnacle::store::access
