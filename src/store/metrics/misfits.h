// The few values of a column that its codec has no room for, kept beside it: their places and their
// bits. Pure functions; any thread. Format: docs/formats/chunk.md, "Misfits".
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

namespace binnacle::store::metrics {

// Columns with more are coded in another way, so that the list fits the stack.
inline constexpr size_t kMaxMisfits = 1024;
inline size_t most_misfits(size_t count) { return std::min(count / 3, kMaxMisfits); }

// `misfits` are ascending places in `values`, at least one. Appends.
void encode_misfits(std::span<const double> values, std::span<const uint32_t> misfits,
                    std::string& out);

// Reads past a list; false when it cannot belong to a column of `count` values.
bool skip_misfits(ByteReader& reader, size_t count);
// Puts the values of the list at `reader` in their places; skip_misfits() took it before.
void place_misfits(ByteReader reader, std::span<double> values);

}  // namespace binnacle::store::metrics
