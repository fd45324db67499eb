// Asks nodes over the link, and from here by TCP and UDP. Any thread.
#pragma once

#include "base/clock.h"
#include "link/link_server.h"
#include "net/echo_socket.h"
#include "net/io_threads.h"
#include "watch/heartbeat/confirmers.h"

namespace binnacle::watch::heartbeat {

class LinkConfirmers final : public Confirmers {
 public:
  // All outlive it; `echo` null: this server sends no echoes itself. Whoever is called back
  // outlives the loops of `io`.
  LinkConfirmers(link::LinkServer& link, net::IoThreads& io, net::EchoSocket* echo,
                 const Clock& clock)
      : link_(link), io_(io), echo_(echo), clock_(clock) {}

  Result<uint64_t> probe(const model::NodeId& via, const std::string& address,
                         int64_t timeout_ms) override;
  Result<uint64_t> echo(const model::NodeId& via, const std::string& address, int64_t interval_ms,
                        int64_t duration_ms) override;
  void stop_echo(const model::NodeId& via, uint64_t id) override;
  void probe_here(const std::string& address, int64_t timeout_ms, OnProbe on_probe) override;
  Result<uint64_t> echo_here(const std::string& address, int64_t interval_ms, int64_t duration_ms,
                             OnEcho on_echo) override;
  void stop_echo_here(uint64_t id) override;

 private:
  link::LinkServer& link_;
  net::IoThreads& io_;
  net::EchoSocket* const echo_;
  const Clock& clock_;
};

}  // namespace binnacle::watch::heartbeat
