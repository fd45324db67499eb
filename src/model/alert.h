// An alert as Prometheus sends it and Alertmanager takes it, and the seam between those who raise
// alerts (rules, the API) and those who route them. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/labels.h"

namespace binnacle::model {

inline constexpr std::string_view kAlertName = "alertname";

// Unix milliseconds throughout; 0: not set.
struct Alert {
  Labels labels;  // who it is: two alerts with the same labels are one
  Labels annotations;
  int64_t starts_at_ms = 0;
  int64_t ends_at_ms = 0;  // in the past: resolved; 0: the receiver's resolve_timeout after the
                           // last update
  int64_t updated_at_ms = 0;
  std::string generator_url;

  bool resolved_at(int64_t now_ms) const { return ends_at_ms != 0 && ends_at_ms <= now_ms; }
  friend bool operator==(const Alert&, const Alert&) = default;
};

// What Alertmanager calls a fingerprint: FNV-1a, 64 bits, over the names and values in order of
// name, each followed by a byte 255 (prometheus/common, model/signature.go). In its API as 16
// hexadecimal digits.
uint64_t alert_fingerprint(LabelsView labels);

class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // What is raised, renewed or resolved. Durable when it returns. Alerts that are refused (no
  // label, too large) do not keep the others out; the error names them. Any thread but I/O threads.
  virtual Status put(std::vector<Alert> alerts) = 0;
};

}  // namespace binnacle::model
