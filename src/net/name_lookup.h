// Host names to addresses by the system's own resolver, so that /etc/hosts, search domains and
// whatever else nsswitch.conf names count. That resolver blocks, for half a minute where a name
// server is silent, and cannot be interrupted; so each look-up has a thread of its own, few run at
// once, and zones that are known to be slow have a share that the others never need. Look-ups of
// one host are shared. Any thread; an answer comes on the asking coroutine's executor.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "net/deadline.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace binnacle::net {

using Addresses = std::vector<boost::asio::ip::address>;

struct NameLookupOptions {
  size_t max_quick = 16;      // at once, of those that may still answer soon
  size_t max_slow = 16;       // at once, of slow zones
  size_t max_running = 64;    // threads in all: those that turned out slow count here alone
  size_t max_waiting = 4096;  // for their turn; kResourceExhausted beyond
  std::chrono::milliseconds slow_after{1'000};
  // Of one question. Longer than the system's resolver waits for a first dead name server (5 s).
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds refusal_ttl{1'000};  // a failure answers the same question that long
};

struct NameLookupFigures {
  uint64_t lookups = 0;  // that the system's resolver was asked for
  uint64_t failed = 0;   // by its answer
  uint64_t late = 0;     // questions given up, at their own deadline or at ours
  uint64_t refused = 0;  // questions, because too many waited
  size_t running = 0;
  size_t waiting = 0;
};

class NameLookup {
 public:
  using Resolve = std::function<Result<Addresses>(const std::string& host)>;

  // `resolve` may be running still when this is gone; `clock` outlives it.
  NameLookup(NameLookupOptions options, Resolve resolve, const Clock& clock);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // At least one address. kUnavailable: there is no such name, or no name server said;
  // kDeadlineExceeded: nobody answered before `deadline`, whose action is set and taken back, or
  // before the options' timeout; kResourceExhausted: too many wait.
  boost::asio::awaitable<Result<Addresses>> find(std::string host, Deadline& deadline);

  NameLookupFigures figures() const;

  // That of this process.
  static NameLookup& system();

 private:
  class State;
  const std::shared_ptr<State> state_;  // shared with threads that hang in the system's resolver
};

// binnacle_name_lookup_*, of the look-ups of this process.
void register_name_lookup_instruments(Registry& registry);

}  // namespace binnacle::net
