// The way of results of checks that run on a node, to whoever judges them: whoever runs checks
// needs to know no link.
#pragma once

#include "link/frame.h"

namespace binnacle::link {

class CheckResultSender {
 public:
  virtual ~CheckResultSender() = default;
  // Any thread; never waits. While the server is away results wait, the newest of them.
  virtual void send(CheckResult result) = 0;
};

}  // namespace binnacle::link
