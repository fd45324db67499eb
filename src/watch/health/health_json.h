// Health as JSON: what the API answers, and what is pushed to it. Shapes: docs/health.md. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/error.h"
#include "watch/health/check_runner.h"
#include "watch/health/health_service.h"
#include "watch/health/health_tree.h"

namespace binnacle::watch::health {

// `brief`: without components, nodes and checks.
nlohmann::json tree_json(const HealthTree& tree, int64_t now_ms, bool brief);
nlohmann::json check_json(const CheckRow& row);
nlohmann::json runs_json(const RunCounts& runs);
nlohmann::json change_json(const HealthChange& change);

// A pushed reading; the error names the field.
Result<PushedReading> read_pushed(std::string_view body);
// {"for": "2h"} or {"until": "2026-01-02T03:04:05Z"}, and why.
Result<Maintenance> read_maintenance(std::string_view body, int64_t now_ms);

}  // namespace binnacle::watch::health
