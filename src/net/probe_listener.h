// A TCP port where others may measure how far this process is: every connection is accepted and
// closed, nothing is read or sent. Or, given an answer, is told one text first. Made before the
// loop of `context` runs or on it; ends with its destruction or the context.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace binnacle::net {

class ProbeListener {
 public:
  // `address` is "host:port" or ":port" (all addresses), host an address. kInvalidArgument: it is
  // none; kFailedPrecondition: it cannot be bound.
  // `answer`: what a connection is told; `asked` is the line that came first, "" when none came
  // soon. Called on the context's thread, quick; at most 256 connections wait at a time.
  using Answer = std::function<std::string(std::string_view asked)>;
  static Result<std::unique_ptr<ProbeListener>> open(boost::asio::io_context& context,
                                                     const std::string& address,
                                                     Answer answer = nullptr);
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
