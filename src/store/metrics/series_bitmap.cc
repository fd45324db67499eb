#include "store/metrics/series_bitmap.h"

#include <algorithm>

#include "base/check.h"

namespace binnacle::store::metrics {

uint64_t SeriesBitmap::mask(size_t index, uint32_t begin, uint32_t end) {
  uint64_t bits = ~uint64_t{0};
  if (index == begin / 64) bits &= ~uint64_t{0} << (begin % 64);
  if (index == (end - 1) / 64) bits &= ~uint64_t{0} >> (63 - (end - 1) % 64);
  return bits;
}

void SeriesBitmap::add(uint32_t begin, uint32_t end) {
  CHECK(begin < end && end <= size_);
  for (size_t i = begin / 64; i <= (end - 1) / 64; ++i) words_[i] |= mask(i, begin, end);
}

bool SeriesBitmap::any(uint32_t begin, uint32_t end) const {
  CHECK(begin < end && end <= size_);
  for (size_t i = begin / 64; i <= (end - 1) / 64; ++i) {
    if ((words_[i] & mask(i, begin, end)) != 0) return true;
  }
  return false;
}

bool SeriesBitmap::empty() const {
  return std::ranges::all_of(words_, [](uint64_t word) { return word == 0; });
}

void SeriesBitmap::intersect(const SeriesBitmap& other) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
}

void SeriesBitmap::subtract(const SeriesBitmap& other) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
}

std::vector<uint32_t> SeriesBitmap::numbers() const {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < words_.size(); ++i) {
    for (uint64_t left = words_[i]; left != 0; left &= left - 1)
      out.push_back(static_cast<uint32_t>(i * 64) + static_cast<uint32_t>(std::countr_zero(left)));
  }
  return out;
}

}  // namespace binnacle::store::metrics
