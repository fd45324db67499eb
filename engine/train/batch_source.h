// Which sequences a step trains on: a function of seed, step and row alone, so that a run that was
// resumed, and every rank, knows its own without having seen those before. Immutable; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/train/text_corpus.h"

namespace binnacle::engine {

class BatchSource {
 public:
  // `tokens` outlives it and holds at least length + 1. Rows are those of all ranks together.
  BatchSource(const std::vector<uint16_t>& tokens, int64_t rows, int64_t length, uint64_t seed)
      : tokens_(tokens), rows_(rows), length_(length), seed_(seed) {}

  // Rows first_row <= i < first_row + count, of length + 1 tokens each.
  std::vector<int32_t> batch(int64_t step, int64_t first_row, int64_t count) const;

 private:
  const std::vector<uint16_t>& tokens_;
  const int64_t rows_;
  const int64_t length_;
  const uint64_t seed_;
};

}  // namespace binnacle::engine
