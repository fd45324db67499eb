// What is judged of an engine, as a reading of a check: "wedged: 8 in flight and no progress for
// 6.1 s; process 4711 is stopped by a signal". Pure.
#pragma once

#include <optional>
#include <string>

#include "model/event.h"
#include "watch/health/check_spec.h"
#include "watch/health/engines/engine_watcher.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

// Neither of what is known too little nor of what is on its way to another one.
bool settled(EngineState state);
Health health_of(EngineState state);
Reading reading_of(const EngineReport& report);
// Of a change worth an event: engine.wedged, engine.down, engine.recovered; without time and id.
std::optional<model::Event> engine_event(const EngineReport& report);
// The check under whose name engines of this process are judged; `node` is where they run.
CheckSpec engine_check(const EngineReport& report, const std::string& node);

}  // namespace binnacle::watch::health
