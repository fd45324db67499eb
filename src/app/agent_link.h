// What the agent makes of what its link hears: log lines for people, each cause once and then once
// a minute, and the pace that the server wishes. Hooks run on the link's I/O thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "link/link_client.h"

namespace binnacle::app {

class AgentLinkState {
 public:
  AgentLinkState(std::string server_url, const Clock& clock)
      : server_url_(std::move(server_url)), clock_(clock) {}

  // Filled in but for what others know. Refer to this object.
  link::LinkClientHooks hooks();
  int64_t pace_ms() const { return pace_ms_.load(); }  // 0: as configured; any thread

 private:
  void accepted(const link::HelloReply& reply);
  void refused(const link::HelloReply& reply);
  void unreachable(const Error& error);
  void lost(const std::string& reason);
  void pace(int64_t interval_ms);
  bool worth_saying(const std::string& what);

  // Fixed after construction.
  const std::string server_url_;
  const Clock& clock_;
  const Log log_{"link"};

  std::atomic<int64_t> pace_ms_{0};

  // Link's thread only.
  std::string said_;
  int64_t said_ms_ = 0;
};

}  // namespace binnacle::app
