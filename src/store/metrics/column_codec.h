// Columns of samples as bytes, and back, exact to the bit (NaN payloads, -0 and infinities
// included). A column does not say how long it is: whoever stores it knows the count. Pure
// functions; any thread. Format: docs/formats/chunk.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::store::metrics {

// kQuick: for the head, a few nanoseconds a value. kSmall: for blocks, tries every codec.
enum class Effort : uint8_t { kQuick, kSmall };

// `times_ms` strictly ascending, at least one; appends to `out`.
void encode_times(std::span<const int64_t> times_ms, Effort effort, std::string& out);
// Fills all of `out`; kDataLoss when the bytes are not a column of exactly that many ascending
// times.
Status decode_times(std::string_view bytes, std::span<int64_t> out);

void encode_values(std::span<const double> values, Effort effort, std::string& out);
// The integers that values were made of, for the columns that are coded against theirs.
struct ColumnIntegers {
  std::vector<uint64_t> integers;
  int exponent = -1;  // -1: the values have none, or not these alone
};
// Fills all of `out`; kDataLoss when the bytes are not a column of exactly that many.
Status decode_values(std::string_view bytes, std::span<double> out, ColumnIntegers* kept = nullptr);
// Whether no value is NaN or infinite, as far as a look at the bytes tells, coded against another
// column or not; false where it does not.
bool holds_numbers(std::string_view bytes);

// A column beside one that resembles it, as the next lower bucket of the same histogram at the same
// times: what is stored is the difference. False, and nothing is appended, unless that takes less
// than `max_bytes`.
bool encode_values_against(std::span<const double> values, std::span<const double> reference,
                           size_t max_bytes, std::string& out);
// `known`: the integers of the reference, or null.
Status decode_values_against(std::string_view bytes, std::span<const double> reference,
                             std::span<double> out, const ColumnIntegers* known = nullptr,
                             ColumnIntegers* kept = nullptr);

}  // namespace binnacle::store::metrics
