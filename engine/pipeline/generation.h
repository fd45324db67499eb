// One answer that is generated: what was asked of the engine and what comes back, between the front
// (which knows text) and the scheduler (which knows tokens). Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/forward.h"
#include "engine/model/sampling.h"

namespace binnacle::engine {

struct Generation {
  SequenceId id = 0;
  std::vector<int32_t> prompt;  // at least one token
  // Generated already, by this process or another one: generation goes on behind them. They count
  // against max_tokens.
  std::vector<int32_t> given;
  int32_t max_tokens = 16;
  Sampling sampling;
  std::vector<int32_t> end_tokens;
  int64_t deadline_ns = INT64_MAX;  // monotonic
};

enum class EndReason : uint8_t { kStop, kLength, kCancelled, kFailed };
std::string_view end_reason_name(EndReason reason);  // "stop", "length", "abort", "error"

// What a generation gives, in order; the end comes last, once.
struct GenerationEvent {
  bool is_end = false;
  TokenChoice choice;                   // of a token
  EndReason reason = EndReason::kStop;  // of the end
  Error error;                          // of an end that is kFailed
};
// Called on the orchestrator's thread: must not block.
using GenerationSink = std::function<void(GenerationEvent)>;

}  // namespace binnacle::engine
