// How the next token is chosen from logits. Random numbers come from a counter-based generator
// keyed by (seed, position), so that the choice depends on nothing but the logits and these: not on
// batching, placement, or what was replayed. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"

namespace binnacle::engine {

struct Sampling {
  float temperature = 1;  // 0: greedy, of equal logits the lowest id
  float top_p = 1;        // (0, 1]
  int32_t top_k = 0;      // 0: all
  float min_p = 0;        // [0, 1)
  uint64_t seed = 0;
  int32_t top_logprobs = 0;                     // how many to report, 0 to 20
  std::vector<std::pair<int32_t, float>> bias;  // added to the logits of these tokens
  std::vector<int32_t> forbidden;               // never chosen, as an end token before min_tokens
};

struct TokenChoice {
  int32_t token = 0;
  float logprob = 0;                           // natural, of the unscaled distribution
  std::vector<std::pair<int32_t, float>> top;  // the most likely ones and their logprob, first best
};

// kInvalidArgument that names the value and its bounds.
Status check_sampling(const Sampling& sampling, int32_t vocabulary);

// `position` is that of the token that is chosen: the number of tokens before it. kDataLoss when
// the logits hold a NaN.
Result<TokenChoice> choose_token(std::span<const float> logits, const Sampling& sampling,
                                 int64_t position);

}  // namespace binnacle::engine
