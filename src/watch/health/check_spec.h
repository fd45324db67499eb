// A check as somebody configured it: what is the same for every kind. The kinds' own settings stay
// with the factory that reads them (checks/).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::watch::health {

enum class Criticality : uint8_t {
  kCritical,      // decides: its component is at least as bad
  kContributing,  // lowers the score and caps the component at degraded
  kInformative,   // shown, never counted
};

// Where a check came from: what may change or remove it.
enum class CheckOrigin : uint8_t { kFile, kApi, kPushed, kBuiltIn };

struct CheckSpec {
  std::string name;       // unique; [a-zA-Z0-9_.:/-], 200 characters at most
  std::string kind;       // "http", "tcp", "promql", "exec", "pushed", ...
  std::string component;  // "gateway"; empty: the check's name
  std::string node;       // of which the component is a part; empty: of the cluster
  std::string description;
  int64_t interval_ms = 30'000;
  int64_t timeout_ms = 5'000;
  int rise = 1;  // readings in a row that make it better
  int fall = 2;  // readings in a row that make it worse
  Criticality criticality = Criticality::kCritical;
  std::vector<std::string> depends_on;  // names of checks; while one of them fails this is unknown
  int64_t ttl_ms = 0;  // of a pushed one: unknown when nothing came for so long; 0: never
  CheckOrigin origin = CheckOrigin::kFile;
  std::string place;  // "checks.yml:12"
};

std::string_view criticality_name(Criticality criticality);  // "critical"
std::optional<Criticality> criticality_of_name(std::string_view name);
std::string_view check_origin_name(CheckOrigin origin);  // "file"

bool is_check_name(std::string_view name);

}  // namespace binnacle::watch::health
