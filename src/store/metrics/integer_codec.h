// A column of 64-bit integers as bytes. What is stored are the values, their differences or the
// differences of those, whichever is smallest; all arithmetic wraps, so that every sequence comes
// back exactly. Pure functions; any thread. Format: docs/formats/chunk.md, "Integer columns".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "store/metrics/column_codec.h"

namespace binnacle::store::metrics {

// Appends; at least one value. `integers` is scratch for the encoder and is left changed.
void encode_integers(std::span<uint64_t> integers, Effort effort, std::string& out);
// Fills all of `out`, at least one; false when `bytes` is not a column of exactly that many.
bool decode_integers(std::string_view bytes, std::span<uint64_t> out);

}  // namespace binnacle::store::metrics
