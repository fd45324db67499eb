// Floats that begin where a cache line does: a vector register that is read across two lines costs
// two reads, which halves a product over many rows.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace binnacle::engine {

template <typename T>
struct LineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kLine{64};

  LineAllocator() = default;
  template <typename Other>
  explicit LineAllocator(const LineAllocator<Other>&) {}

  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* memory, size_t) { ::operator delete(memory, kLine); }
  bool operator==(const LineAllocator&) const = default;
};

using Floats = std::vector<float, LineAllocator<float>>;

}  // namespace binnacle::engine
