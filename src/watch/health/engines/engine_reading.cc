#include "watch/health/engines/engine_reading.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace binnacle::watch::health {

bool settled(EngineState state) {
  return state != EngineState::kUnknown && state != EngineState::kLoading;
}

Health health_of(EngineState state) {
  switch (state) {
    case EngineState::kIdle:
    case EngineState::kServing:
      return Health::kHealthy;
    case EngineState::kLoading:
    case EngineState::kDraining:
    case EngineState::kDegraded:
      return Health::kDegraded;
    case EngineState::kWedged:
    case EngineState::kDown:
      return Health::kFailed;
    case EngineState::kUnknown:
      break;
  }
  return Health::kUnknown;
}

Reading reading_of(const EngineReport& report) {
  Reading reading;
  reading.health = health_of(report.state);
  reading.message = engine_state_name(report.state);
  if (!report.evidence.empty())
    reading.message += fmt::format(": {}", fmt::join(report.evidence, "; "));
  reading.evidence = report.evidence;
  return reading;
}

std::optional<model::Event> engine_event(const EngineReport& report) {
  const bool failed = health_of(report.state) == Health::kFailed;
  const bool had_failed = health_of(report.before) == Health::kFailed;
  if (report.state == report.before || (!failed && !had_failed)) return std::nullopt;
  if (!settled(report.state)) return std::nullopt;
  model::Event event;
  event.kind =
      failed ? fmt::format("engine.{}", engine_state_name(report.state)) : "engine.recovered";
  event.subject = report.instance;
  event.data = nlohmann::json{{"engine", report.engine},
                              {"url", report.url},
                              {"state", engine_state_name(report.state)},
                              {"before", engine_state_name(report.before)},
                              {"evidence", report.evidence}}
                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return event;
}

CheckSpec engine_check(const EngineReport& report, const std::string& node) {
  CheckSpec spec;
  spec.component = "engine:" + report.instance;
  spec.name = node + "/" + spec.component;
  spec.kind = "engine";
  spec.node = node;
  spec.description = report.engine + " at " + report.url;
  spec.origin = CheckOrigin::kBuiltIn;
  // What judges it has waited long enough.
  spec.rise = spec.fall = 1;
  return spec;
}

}  // namespace binnacle::watch::health
