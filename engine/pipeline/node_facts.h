// What the engine's nodes tell of themselves over the link, so that the server can tell who runs
// something else than the rest of its role. Pure.
#pragma once

#include <string>

#include "engine/pipeline/checkpoint.h"
#include "engine/pipeline/stage.h"
#include "link/frame.h"

namespace binnacle::engine {

// `says`: what the worker says of its layers. The hash of what it holds stands under the model and
// the range, as only workers that hold the same can be compared.
link::Facts worker_node_facts(const StageView& view, const std::string& says);

// Of who serves the whole model. The hash is that of all its weights; an emulated model has none.
link::Facts serving_node_facts(const Checkpoint& checkpoint);

}  // namespace binnacle::engine
