// Endpoints and members are those of the engines' own sources:
//   Ollama             server/routes.go, api/types.go
//   exo                src/exo/api/main.py, src/exo/shared/types/{state,tasks,profiling}.py
//   mlx-lm             mlx_lm/server.py
//   distributed-llama  src/dllama-api.cpp, src/api-types.hpp
#include "collect/engines/poll_table.h"

#include <algorithm>

namespace binnacle::collect::engines {
namespace {

using enum Engine;
using enum Series;
using enum Take;
using enum Need;

constexpr PollEngine kEnginesPolled[] = {
    {.engine = kOllama,
     .health_path = "/api/version",
     .health_blind = "answered by the front, whatever its runners do: a hung model, a full queue",
     .version_path = "/api/version",
     .version_pointer = "/version"},
    {.engine = kExo,
     .health_path = "/state",
     .health_blind = "the state as this node has it: lost nodes stand in it for a while, and a "
                     "deadlocked runner counts as running"},
    {.engine = kMlxLm,
     .health_path = "/health",
     .health_blind = "always says ok while the process lives: nothing of the model or of a hang"},
    {.engine = kDistributedLlama,
     .health_path = "/v1/models",
     .health_blind = "answered between requests only: a long generation and a hang look the same",
     .one_at_a_time = true},
};

constexpr PollField kFields[] = {
    {.engine = kOllama,
     .path = "/api/ps",
     .pointer = "/models/*",
     .series = kModelsLoaded,
     .take = kCount,
     .need = kAlways},
    {.engine = kOllama,
     .path = "/api/ps",
     .pointer = "/models/*",
     .series = kModelInfo,
     .take = kOne,
     .labels = {{{"model", "/name"},
                 {"family", "/details/family"},
                 {"parameters", "/details/parameter_size"},
                 {"quantization", "/details/quantization_level"}}}},
    {.engine = kOllama,
     .path = "/api/ps",
     .pointer = "/models/*",
     .series = kModelMemory,
     .value = "/size_vram",
     .labels = {{{"model", "/name"}, {"memory", "=gpu"}}}},
    {.engine = kOllama,
     .path = "/api/ps",
     .pointer = "/models/*",
     .series = kModelMemory,
     .value = "/size",
     .minus = "/size_vram",
     .labels = {{{"model", "/name"}, {"memory", "=cpu"}}}},
    {.engine = kOllama,
     .path = "/api/ps",
     .pointer = "/models/*",
     .series = kModelContext,
     .value = "/context_length",
     .labels = {{{"model", "/name"}}}},
    {.engine = kOllama,
     .path = "/v1/models",
     .pointer = "/data/*",
     .series = kModelsAvailable,
     .take = kCount,
     .need = kAlways},

    {.engine = kExo,
     .path = "/state",
     .pointer = "/instances/*",
     .series = kModelsLoaded,
     .take = kCount,
     .need = kAlways},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/instances/*/*/shardAssignments/modelId",
     .series = kModelInfo,
     .take = kOne,
     .labels = {{{"model", ""}}}},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/tasks/*/TextGeneration",
     .series = kRequestsRunning,
     .take = kCount,
     .need = kAlways,
     .only = "/taskStatus",
     .only_value = "Running"},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/tasks/*/TextGeneration",
     .series = kRequestsWaiting,
     .take = kCount,
     .need = kAlways,
     .only = "/taskStatus",
     .only_value = "Pending"},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/runners/*/*",
     .series = kRunners,
     .take = kCount,
     .labels = {{{"state", "@"}}}},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/nodeMemory/*",
     .series = kNodeMemoryTotal,
     .value = "/ramTotal/inBytes",
     .labels = {{{"node", "@"}}}},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/nodeMemory/*",
     .series = kNodeMemoryAvailable,
     .value = "/ramAvailable/inBytes",
     .labels = {{{"node", "@"}}}},
    // As macmon has it: a share, though its source calls it per cent.
    {.engine = kExo,
     .path = "/state",
     .pointer = "/nodeSystem/*",
     .series = kNodeGpuUsage,
     .value = "/gpuUsage",
     .labels = {{{"node", "@"}}}},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/nodeSystem/*",
     .series = kNodePower,
     .value = "/sysPower",
     .labels = {{{"node", "@"}}}},
    {.engine = kExo,
     .path = "/state",
     .pointer = "/nodeSystem/*",
     .series = kNodeTemperature,
     .value = "/temp",
     .labels = {{{"node", "@"}}}},

    // What lies on the disk and can be asked for; which one is loaded it does not say.
    {.engine = kMlxLm,
     .path = "/v1/models",
     .pointer = "/data/*",
     .series = kModelsAvailable,
     .take = kCount,
     .need = kAlways},
    {.engine = kMlxLm,
     .path = "/v1/models",
     .pointer = "/data/*/id",
     .series = kModelInfo,
     .take = kOne,
     .labels = {{{"model", ""}}}},

    {.engine = kDistributedLlama,
     .path = "/v1/models",
     .pointer = "/data/*/id",
     .series = kModelInfo,
     .take = kOne,
     .need = kAlways,
     .labels = {{{"model", ""}}}},
    {.engine = kDistributedLlama,
     .path = "/v1/models",
     .pointer = "/data/*",
     .series = kModelsLoaded,
     .take = kCount,
     .need = kAlways},
};

}  // namespace

std::span<const PollEngine> poll_engines() { return kEnginesPolled; }

const PollEngine* poll_engine(Engine engine) {
  const auto* found = std::ranges::find(kEnginesPolled, engine, &PollEngine::engine);
  return found == std::end(kEnginesPolled) ? nullptr : found;
}

std::span<const PollField> poll_fields() { return kFields; }

}  // namespace binnacle::collect::engines
