#include "collect/engines/engine.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace binnacle::collect::engines {
namespace {

// Several API processes of one engine report the same gauges; the youngest process knows best.
constexpr CopyLabel kProcessCopies[] = {{"pid", true}};
// Ranks of one tensor or pipeline group work on the same requests. Ranks of data parallelism
// (dp_rank) do not, and are added up.
constexpr CopyLabel kRankCopies[] = {
    {"pid", true}, {"tp_rank", false}, {"pp_rank", false}, {"moe_ep_rank", false}};

// In the order of Engine.
constexpr std::array<EngineTraits, kEngines> kTraits = {{
    {.name = "vllm",
     .model_label = "model_name",
     .eager = true,
     .exports = true,
     .metrics_path = "/metrics",
     .copies = kProcessCopies},
    {.name = "sglang",
     .model_label = "model_name",
     .exports = true,
     .metrics_path = "/metrics",
     .copies = kRankCopies},
    {.name = "llama.cpp",
     .eager = true,
     .exports = true,
     .metrics_path = "/metrics",
     .copies = kProcessCopies},
    {.name = "tgi", .exports = true, .metrics_path = "/metrics", .copies = kProcessCopies},
    {.name = "trtllm-serve",
     .model_label = "model_name",
     .exports = true,
     .metrics_path = "/prometheus/metrics",
     .copies = kProcessCopies},
    {.name = "triton",
     .model_label = "model",
     .exports = true,
     .metrics_path = "/metrics",
     .copies = kProcessCopies},
    {.name = "lmdeploy",
     .model_label = "model_name",
     .eager = true,
     .exports = true,
     .metrics_path = "/metrics",
     .copies = kProcessCopies},
    {.name = "ray",
     .model_label = "model_name",
     .exports = true,
     .metrics_path = "/metrics",
     .copies = kProcessCopies},
    {.name = "ollama"},
    {.name = "exo"},
    {.name = "mlx-lm"},
    {.name = "distributed-llama"},
    {.name = "binnacle",
     .model_label = "model",
     .exports = true,
     .native = true,
     .metrics_path = "/metrics"},
}};

}  // namespace

Version parse_version(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  uint32_t major = 0;
  uint32_t minor = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, major);
  if (error != std::errc() || major > 9999) return 0;
  if (after != end && *after == '.') {
    (void)std::from_chars(after + 1, end, minor);
    if (minor > 999) minor = 999;
  }
  return version(major, minor);
}

std::string version_text(Version version) {
  return fmt::format("{}.{}", version / 1000, version % 1000);
}

const EngineTraits& traits(Engine engine) { return kTraits[static_cast<size_t>(engine)]; }

std::string_view engine_name(Engine engine) { return traits(engine).name; }

std::optional<Engine> engine_from_name(std::string_view name) {
  for (size_t i = 0; i < kEngines; ++i) {
    if (kTraits[i].name == name) return static_cast<Engine>(i);
  }
  return std::nullopt;
}

}  // namespace binnacle::collect::engines
