// Zeroed floats at the beginning of a cache line. Owned by whoever holds them.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

namespace binnacle::engine {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(int64_t count) : memory_(new(kLine) float[static_cast<size_t>(count)]()) {}

  float* data() { return memory_.get(); }
  const float* data() const { return memory_.get(); }
  bool empty() const { return memory_ == nullptr; }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete[](memory, kLine); }
  };
  std::unique_ptr<float, Free> memory_;
};

}  // namespace binnacle::engine
