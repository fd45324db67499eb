// A TCP port where others may measure how far this process is: every connection is accepted and
// closed, nothing is read or sent. Made before the loop of `context` runs or on it; ends with
// close() or the context.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace binnacle::net {

class ProbeListener {
 public:
  // `address` is "host:port" or ":port" (all addresses), host an address. kInvalidArgument: it is
  // none; kFailedPrecondition: it cannot be bound.
  static Result<std::unique_ptr<ProbeListener>> open(boost::asio::io_context& context,
                                                     const std::string& address);
  ~ProbeListener();
  ProbeListener(const ProbeListener&) = delete;
  ProbeListener& operator=(const ProbeListener&) = delete;

  // "10.0.0.7:4711", or ":4711" when bound to all addresses.
  std::string address() const;

 private:
  struct State;
  explicit ProbeListener(std::shared_ptr<State> state);
  const std::shared_ptr<State> state_;  // with its coroutine
};

}  // namespace binnacle::net
