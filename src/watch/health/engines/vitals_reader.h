// Reads what EngineProgress wants to know out of an engine's metrics page or of what polling it
// gave, through the same tables as collecting does. One engine instance; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/instruments.h"
#include "collect/engines/engine_deriver.h"
#include "collect/engines/poll_reader.h"
#include "collect/exposition/exposition.h"
#include "watch/health/engines/engine_progress.h"

namespace binnacle::watch::health {

class VitalsReader {
 public:
  VitalsReader(collect::engines::Engine engine, Registry& registry);

  // kInvalidArgument: not a metrics page.
  Result<Vitals> read_page(std::string_view body, std::string_view content_type);

 private:
  collect::engines::EngineDerivers derivers_;
  const std::unique_ptr<collect::scrape::TargetDeriver> deriver_;
  std::unordered_map<std::string, uint32_t> tokens_;  // by the series' text; 0: of no interest
};

// Numbers of all models together. An engine that did not answer at all is silent or refuses.
Vitals vitals_of_poll(const collect::engines::PollResult& result);

}  // namespace binnacle::watch::health
