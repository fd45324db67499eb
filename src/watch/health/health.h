// What is thought of a check, a component, a node or the cluster. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::watch::health {

// From best to worst, but for kUnknown, which is no judgement: there was nothing to judge by.
enum class Health : uint8_t { kHealthy, kDegraded, kCritical, kFailed, kUnknown };
std::string_view health_name(Health health);  // "degraded"
std::optional<Health> health_of_name(std::string_view name);

// What one run of a check saw.
struct Reading {
  Health health = Health::kUnknown;
  std::string message;          // one line for people: "200 OK in 12 ms", "connection refused"
  std::optional<double> value;  // what it measured, in base units
  std::string unit;             // of the value: "seconds", "ratio", "bytes", "days", ""
  int64_t took_ms = 0;
  // What the judgement rests on, a line each: "0 tokens for 12 s", "3 requests in flight".
  std::vector<std::string> evidence = {};
};

}  // namespace binnacle::watch::health
