#include "engine/train/batch_source.h"

#include "base/check.h"
#include "base/random.h"

namespace binnacle::engine {

std::vector<int32_t> BatchSource::batch(int64_t step, int64_t first_row, int64_t count) const {
  CHECK(first_row >= 0 && first_row + count <= rows_);
  // Odd, so that no two steps of a run begin with the same state of the generator.
  constexpr uint64_t kStride = 0x9E37'79B9'7F4A'7C15;
  SeededRandom random(seed_ + kStride * static_cast<uint64_t>(step));
  const uint64_t places = tokens_.size() - static_cast<uint64_t>(length_);
  std::vector<int32_t> out;
  out.reserve(static_cast<size_t>(count * (length_ + 1)));
  for (int64_t row = 0; row < first_row + count; ++row) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(places));
    if (row < first_row) continue;
    const auto begin = tokens_.begin() + at;
    out.insert(out.end(), begin, begin + length_ + 1);
  }
  return out;
}

}  // namespace binnacle::engine
