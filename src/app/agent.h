// The composition of `binnacle agent`: collects this node into a queue on disk, ships the queue by
// remote write, keeps the link to the server. Works while the server is away. One object a process;
// all calls from the main thread.
#pragma once

#include <memory>
#include <string>

#include "app/agent_settings.h"
#include "base/error.h"

namespace binnacle::app {

class AgentProcess {
 public:
  // Everything opened, nothing running.
  static Result<std::unique_ptr<AgentProcess>> create(const AgentArgs& args);
  ~AgentProcess();  // stop()

  Status start();
  void stop();
  // Once a second. An error: the agent cannot go on (its join token does not do).
  Status tick();
  void reload();  // the log's settings; what needs a restart is said

  std::string greeting() const;  // "node lab-3 (0123…) of cluster lab reports to http://…"

 private:
  struct Parts;
  explicit AgentProcess(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Runs until SIGTERM or SIGINT. The process' exit code.
int run_agent(const AgentArgs& args);

}  // namespace binnacle::app
