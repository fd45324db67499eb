#include "watch/health/engines/engine_ways.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"

namespace binnacle::watch::health {
namespace {

using collect::engines::Engine;

constexpr EngineNature kAtTheEnd{.live_tokens = false};
constexpr EngineNature kOnCpu{.live_tokens = false, .computes_on_cpu = true};
constexpr EngineNature kNoCanary{.live_tokens = false, .canaries = false};

constexpr EngineWays kWays[] = {
    {.engine = Engine::kVllm, .nature = {}},
    // 503 while it starts and while it drains; which of the two, nobody tells.
    {.engine = Engine::kSglang, .nature = kAtTheEnd, .unready = EngineWord::kLoading},
    {.engine = Engine::kLlamaCpp, .nature = kOnCpu, .unready = EngineWord::kLoading},
    {.engine = Engine::kTgi, .nature = kAtTheEnd},
    {.engine = Engine::kTrtllmServe, .nature = kAtTheEnd},
    // Its requests have the shape that each model's configuration gives them.
    {.engine = Engine::kTriton,
     .nature = kNoCanary,
     .canary = CanaryShape::kNone,
     .word_path = "/v2/health/ready",
     .unready = EngineWord::kLoading},
    {.engine = Engine::kLmdeploy, .nature = kAtTheEnd},
    // What is found is the metrics agent; the API has an address of its own.
    {.engine = Engine::kRay,
     .nature = {.canaries = false},
     .canary = CanaryShape::kNone,
     .word_path = ""},
    {.engine = Engine::kOllama,
     .nature = kOnCpu,
     .word_path = "/api/version",
     .loaded_path = "/api/ps",
     .loaded_pointer = "/models/0/name"},
    // A request would place and load a model.
    {.engine = Engine::kExo,
     .nature = kNoCanary,
     .canary = CanaryShape::kNone,
     .word_path = "/node_id"},
    {.engine = Engine::kMlxLm, .nature = kOnCpu, .canary = CanaryShape::kChat},
    // It has no health endpoint and takes one connection after the other: while it generates, it
    // answers nobody.
    {.engine = Engine::kDistributedLlama,
     .nature = kOnCpu,
     .canary = CanaryShape::kChat,
     .word_path = ""},
    {.engine = Engine::kBinnacle, .nature = kOnCpu, .unready = EngineWord::kLoading},
};
static_assert(std::size(kWays) == collect::engines::kEngines);

}  // namespace

const EngineWays& ways_of(Engine engine) {
  const auto* const found = std::ranges::find(kWays, engine, &EngineWays::engine);
  CHECK(found != std::end(kWays));
  return *found;
}

EngineWord read_word(const EngineWays& ways, const Result<net::Response>& answer) {
  if (!answer)
    return answer.error().code == Code::kDeadlineExceeded ? EngineWord::kSilent : EngineWord::kNone;
  if (answer->status < 300) return EngineWord::kReady;
  if (answer->status == 429) return EngineWord::kOverloaded;
  return answer->status == 503 ? ways.unready : EngineWord::kNone;
}

CanaryRequest canary_request(CanaryShape shape, std::string_view model) {
  nlohmann::json body = {{"model", model}, {"max_tokens", 1}, {"temperature", 0}, {"stream", true}};
  if (shape == CanaryShape::kChat) {
    body["messages"] = {{{"role", "user"}, {"content", "1"}}};
    return {"/v1/chat/completions", body.dump()};
  }
  body["prompt"] = "1";
  return {"/v1/completions", body.dump()};
}

}  // namespace binnacle::watch::health
