#include "store/metrics/column_codec.h"

#include <cstring>

namespace binnacle::store::metrics {
namespace {

constexpr char kRaw = 0;  // eight little-endian bytes for each entry

template <typename T>
void encode_raw(std::span<const T> column, std::string& out) {
  out.push_back(kRaw);
  out.append(reinterpret_cast<const char*>(column.data()), column.size_bytes());
}

template <typename T>
Status decode_raw(std::string_view bytes, std::span<T> out) {
  if (bytes.size() != 1 + out.size_bytes() || bytes[0] != kRaw)
    return fail(Code::kDataLoss, "column: broken bytes");
  std::memcpy(out.data(), bytes.data() + 1, out.size_bytes());
  return {};
}

}  // namespace

void encode_times(std::span<const int64_t> times_ms, Effort, std::string& out) {
  encode_raw(times_ms, out);
}

Status decode_times(std::string_view bytes, std::span<int64_t> out) {
  return decode_raw(bytes, out);
}

void encode_values(std::span<const double> values, Effort, std::string& out) {
  encode_raw(values, out);
}

Status decode_values(std::string_view bytes, std::span<double> out) {
  return decode_raw(bytes, out);
}

bool encode_values_against(std::span<const double>, std::span<const double>, size_t, std::string&) {
  return false;
}

Status decode_values_against(std::string_view, std::span<const double>, std::span<double>) {
  return fail(Code::kDataLoss, "column: unknown codec");
}

}  // namespace binnacle::store::metrics
