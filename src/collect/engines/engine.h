// The inference engines that have an adapter: how each is recognised, which labels carry what, and
// what it takes to tell its versions apart. Constant tables; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace binnacle::collect::engines {

enum class Engine : uint8_t {
  kVllm,
  kSglang,
  kLlamaCpp,
  kTgi,
  kTrtllmServe,
  kTriton,
  kLmdeploy,
  kRay,
  // These export nothing and are polled.
  kOllama,
  kExo,
  kMlxLm,
  kDistributedLlama,
  // Our own; it exports the canonical series itself.
  kBinnacle,
};
inline constexpr size_t kEngines = 13;

// major * 1000 + minor; 0: not known.
using Version = uint32_t;
constexpr Version version(uint32_t major, uint32_t minor) { return major * 1000 + minor; }
// "0.10.2rc1" is version(0, 10), "v0.4" too; 0 for what has no leading number.
Version parse_version(std::string_view text);
std::string version_text(Version version);  // "0.10"

// One of two or more series that show the same thing from several processes or ranks, and that must
// not be added up.
struct CopyLabel {
  std::string_view name;
  bool highest_wins = false;  // else the lowest number
};

struct EngineTraits {
  std::string_view name;         // the value of the label `engine`
  std::string_view model_label;  // which of the engine's labels names the model; "": none does
  // A series of the engine exists from its start, at zero. Else one appears when first counted, so
  // that its absence says nothing before the first request.
  bool eager = false;
  bool exports = false;  // Prometheus text; else polled
  bool native = false;   // under the canonical names, with the label `engine`: nothing is derived
  std::string_view metrics_path;
  std::span<const CopyLabel> copies;
};

const EngineTraits& traits(Engine engine);
std::string_view engine_name(Engine engine);
std::optional<Engine> engine_from_name(std::string_view name);

}  // namespace binnacle::collect::engines
