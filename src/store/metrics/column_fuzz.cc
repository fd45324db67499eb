// Bytes as columns, and columns as bytes. The first byte says what the rest is, the second how many
// samples a column has. Bytes that no encoder wrote must be refused or give some values, without a
// read outside; values must come back to the bit.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "store/metrics/column_codec.h"

namespace {

using namespace binnacle::store::metrics;

constexpr size_t kSamplesOfAByte = 5;

template <typename T>
std::vector<T> column_of(std::string_view bytes) {
  std::vector<T> column(bytes.size() / sizeof(T));
  if (!column.empty()) std::memcpy(column.data(), bytes.data(), column.size() * sizeof(T));
  return column;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

void decode(std::string_view bytes, size_t count) {
  std::vector<double> values(count);
  std::vector<int64_t> times(count);
  std::vector<double> reference;
  for (size_t i = 0; i < count; ++i) reference.push_back(static_cast<double>(i) / 4);
  if (decode_values(bytes, values)) {
    std::string again;
    encode_values(values, Effort::kSmall, again);
    std::vector<double> back(count);
    CHECK(decode_values(again, back) && same_bits(values, back));
  }
  (void)decode_values_against(bytes, reference, values);
  if (decode_times(bytes, times))
    for (size_t i = 1; i < count; ++i) CHECK(times[i - 1] < times[i]);
}

void round_trip(const std::vector<double>& values, Effort effort) {
  std::string bytes;
  encode_values(values, effort, bytes);
  CHECK(bytes.size() <= 1 + 8 * values.size() || values.size() == 1);
  std::vector<double> back(values.size());
  CHECK(decode_values(bytes, back) && same_bits(values, back));
  std::vector<double> shifted(values.rbegin(), values.rend());
  std::string beside;
  if (encode_values_against(values, shifted, bytes.size(), beside))
    CHECK(decode_values_against(beside, shifted, back) && same_bits(values, back));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 4 == 0) {
    decode(bytes, 1 + data[1] * kSamplesOfAByte);
  } else if (data[0] % 4 == 1) {
    // Small numbers, as eight random bytes hardly ever make a decimal.
    std::vector<double> values;
    for (const char c : bytes) values.push_back(static_cast<double>(c) / (1 + data[1]));
    round_trip(values, Effort::kSmall);
  } else if (bytes.size() >= sizeof(double)) {
    round_trip(column_of<double>(bytes), data[0] % 4 == 2 ? Effort::kQuick : Effort::kSmall);
  }
  return 0;
}
