// Columns and label bytes that an operator holds until it ends, charged to the query as they grow
// and given back all at once. One operator's; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "query/promql/query_meter.h"

namespace binnacle::query::promql {

class HeldMemory {
 public:
  explicit HeldMemory(QueryMeter& meter) : meter_(meter) {}  // outlives this
  ~HeldMemory();
  HeldMemory(const HeldMemory&) = delete;
  HeldMemory& operator=(const HeldMemory&) = delete;

  // kResourceExhausted, from the meter. What comes back stays where it is.
  Result<std::span<double>> column(size_t size, double value);
  Result<std::span<double>> copy(std::span<const double> values);
  Result<std::span<uint8_t>> flags(size_t size);  // all 0
  Result<std::string_view> text(std::string_view bytes);
  template <typename T>
  Result<std::span<T>> array(size_t size) {  // with nothing in it
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(double));
    TRY_ASSIGN(std::byte * bytes, take(size * sizeof(T)));
    return std::span<T>(reinterpret_cast<T*>(bytes), size);
  }
  // For what the caller keeps in containers of its own. The meter is asked for some KiB at a time,
  // so that this may be called for every row.
  Status charge(size_t bytes) {
    if (bytes > spare_) return charge_more(bytes);
    spare_ -= bytes;
    return {};
  }

 private:
  Status charge_more(size_t bytes);
  Result<std::byte*> take(size_t bytes);  // aligned for a double

  QueryMeter& meter_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::byte* free_ = nullptr;
  size_t left_ = 0;
  size_t next_chunk_ = 4096;
  size_t charged_ = 0;
  size_t spare_ = 0;  // charged and not used yet
};

}  // namespace binnacle::query::promql
