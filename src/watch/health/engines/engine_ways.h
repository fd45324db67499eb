// How each kind of engine is asked how it is, and what its answers are worth: what its health
// endpoint really means, whether its counters move with each token, how one token is asked for. A
// constant table; any thread. Source of the meanings: the engines' own sources.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "collect/engines/engine.h"
#include "net/http.h"
#include "watch/health/engines/engine_progress.h"

namespace binnacle::watch::health {

enum class CanaryShape : uint8_t { kNone, kCompletion, kChat };

struct EngineWays {
  collect::engines::Engine engine;
  EngineNature nature;
  CanaryShape canary = CanaryShape::kCompletion;
  std::string_view word_path = "/health";
  EngineWord unready = EngineWord::kDead;  // what a 503 there means
  // Where it tells which model is in memory, as asking for another would load it; "": the first of
  // its models will do.
  std::string_view loaded_path = {};
  std::string_view loaded_pointer = {};
};

const EngineWays& ways_of(collect::engines::Engine engine);

EngineWord read_word(const EngineWays& ways, const Result<net::Response>& answer);

// A request for one token of `model`, streamed.
struct CanaryRequest {
  std::string path;
  std::string body;  // JSON
};
CanaryRequest canary_request(CanaryShape shape, std::string_view model);

}  // namespace binnacle::watch::health
