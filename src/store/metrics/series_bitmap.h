// A set of series numbers of one block: one bit each. Value, one thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace binnacle::store::metrics {

class SeriesBitmap {
 public:
  explicit SeriesBitmap(uint32_t size) : size_(size), words_((size + 63) / 64) {}

  void add(uint32_t begin, uint32_t end);  // [begin, end), end <= size
  bool any(uint32_t begin, uint32_t end) const;
  bool empty() const;
  void intersect(const SeriesBitmap& other);
  void subtract(const SeriesBitmap& other);
  std::vector<uint32_t> numbers() const;  // ascending

 private:
  // The bits of word `index` that lie in [begin, end).
  static uint64_t mask(std::size_t index, uint32_t begin, uint32_t end);

  uint32_t size_;
  std::vector<uint64_t> words_;
};

}  // namespace binnacle::store::metrics
