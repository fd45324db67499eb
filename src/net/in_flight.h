// Work that runs on a foreign library's threads and that its owner must not outlive: the owner's
// end cancels what is left and waits until the library has done with it. No lock in the header,
// whose macros abseil defines as well. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace binnacle::net {

class InFlight {
 public:
  InFlight();
  ~InFlight();  // cancels, then waits
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  // `cancel` makes the work end soon; it is called at most once, and keeps alive what it needs.
  uint64_t add(std::function<void()> cancel);
  // The last thing that a piece of work does; what `cancel` kept alive is gone then.
  void remove(uint64_t id);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace binnacle::net
