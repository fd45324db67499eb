// What a stage counts about its steps. Any thread.
#pragma once

#include "base/error.h"
#include "base/instruments.h"
#include "engine/pipeline/expert_use.h"

namespace binnacle::engine {

struct StageInstruments {
  explicit StageInstruments(Registry& registry);

  void failed(Code code);              // a step
  void experts(const ExpertUse& use);  // of a mixture's layers

  Registry& registry;
  Counter& steps;
  Counter& rows;
  Counter& busy_seconds;
  Histogram& queue_seconds;
  Histogram& compute_seconds;
  Counter& loads;
  Counter& failed_loads;
};

}  // namespace binnacle::engine
