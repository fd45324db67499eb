// Makes the canonical series of an engine from what a target of it exposes, beside the target's own
// series: the scrape loop shows each series once, then its samples; finish() adds up, converts and
// tells what is missing. One deriver belongs to one target and its loop; the factory may be used by
// any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/instruments.h"
#include "collect/engines/engine.h"
#include "collect/scrape/target_deriver.h"

namespace binnacle::collect::engines {

struct DeriverLimits {
  // Series of a target that canonical ones are made of. Further ones are left out and counted.
  size_t max_inputs = 20'000;
  // Gives the series of an engine that exports the schema itself once more, for who sees these
  // alone.
  bool repeat_native = false;
};

// What an operator says of a target by its labels, of which those with `__` do not reach the store:
// `__engine__` or `engine` names the engine, `__engine_version__` or `engine_version` its version.
struct TargetHints {
  std::optional<Engine> engine;  // only its names are looked for, and their absence is told at once
  Version version = 0;
  std::string version_text;
  bool labelled = false;  // the target's own label `engine` says it already
};
TargetHints target_hints(model::LabelsView target, model::LabelsView discovered = {});

class EngineDerivers final : public scrape::TargetDerivers {
 public:
  explicit EngineDerivers(Registry& registry, DeriverLimits limits = {});
  std::unique_ptr<scrape::TargetDeriver> for_target(model::LabelsView target,
                                                    model::LabelsView discovered) override;

 private:
  const DeriverLimits limits_;
  Counter& refused_;
};

}  // namespace binnacle::collect::engines
