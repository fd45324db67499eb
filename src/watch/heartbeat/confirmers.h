// The heartbeat's hands: how others, and this server itself, are asked about a suspect. A seam, so
// that tests need no network. None of its functions calls back before it returns; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/node.h"
#include "watch/heartbeat/detector_types.h"

namespace binnacle::watch::heartbeat {

struct EchoCount {
  uint64_t sent = 0;
  uint64_t answered = 0;
  bool done = false;
};

class Confirmers {
 public:
  virtual ~Confirmers() = default;

  // By a node: answers the id of the replies that LinkObserver gets.
  virtual Result<uint64_t> probe(const model::NodeId& via, const std::string& address,
                                 int64_t timeout_ms) = 0;
  virtual Result<uint64_t> echo(const model::NodeId& via, const std::string& address,
                                int64_t interval_ms, int64_t duration_ms) = 0;
  virtual void stop_echo(const model::NodeId& via, uint64_t id) = 0;

  // By this server.
  using OnProbe = std::function<void(ProbeOutcome)>;
  using OnEcho = std::function<void(const EchoCount&)>;
  virtual void probe_here(const std::string& address, int64_t timeout_ms, OnProbe on_probe) = 0;
  virtual Result<uint64_t> echo_here(const std::string& address, int64_t interval_ms,
                                     int64_t duration_ms, OnEcho on_echo) = 0;
  virtual void stop_echo_here(uint64_t id) = 0;
};

// What a failed connection tells: a refusal comes from a machine that lives, without the process.
ProbeOutcome probe_outcome(bool reached, std::string_view error);

}  // namespace binnacle::watch::heartbeat
