// Messages that begin with a CRC-32C of all that follows, as their field 1 of type fixed32
// (docs/formats/pipeline.md). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle::engine {

inline constexpr size_t kChecksumBytes = 5;  // tag and value

// Room for the checksum at the beginning of an empty message; seal() fills it in when all is there.
void begin_checksum(std::string& message);
void seal_checksum(std::string& message);

// What stands after the checksum. kDataLoss: it does not fit; kInvalidArgument: there is none.
Result<std::string_view> checked_content(std::string_view message);

}  // namespace binnacle::engine
