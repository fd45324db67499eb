// What a stage counts about its steps. Any thread.
#pragma once

#include "base/error.h"
#include "base/instruments.h"

namespace binnacle::engine {

struct StageInstruments {
  explicit StageInstruments(Registry& registry);

  void failed(Code code);  // a step

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
