// Health for people and for programs, from the tree that /api/health answers (docs/health.md).
// Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "watch/health/health.h"

namespace binnacle::app {

enum class CheckFormat : uint8_t { kText, kJson, kJunit, kPrometheus };

struct CheckPrintOptions {
  CheckFormat format = CheckFormat::kText;
  bool verbose = false;  // of kText: kind, since when, evidence, the nodes' states
  bool colours = false;  // of kText
};

// The checks of the tree, those of components and of nodes, as the API writes them.
nlohmann::json checks_of(const nlohmann::json& tree);
watch::health::Health overall_of(const nlohmann::json& tree);

// kText: what decided, then a line a check, the worst first. kJunit: a test case a check, those
// that are degraded or worse as failures, unknown ones as skipped. kPrometheus: the series that a
// server stores, for node_exporter's textfile folder.
std::string print_health(const nlohmann::json& tree, const CheckPrintOptions& options);

// 0 healthy, 1 critical or failed, 2 degraded, 3 unknown.
int exit_code_of(watch::health::Health overall);

}  // namespace binnacle::app
