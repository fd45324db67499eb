#include "app/agent_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "app/agent.h"

namespace binnacle::app {

void add_agent_command(CLI::App& root, int& exit_code) {
  CLI::App* agent =
      root.add_subcommand("agent", "Watch this machine and report to a server, until SIGTERM");
  const auto args = std::make_shared<AgentArgs>();
  agent->add_option("--config", args->config_file, "binnacle.yaml; its section `agent` counts")
      ->check(CLI::ExistingFile);
  agent->add_option("--server", args->server, "Address of the server, http://host:port");
  agent->add_option("--token", args->token,
                    "One-use token of `binnacle key join-token`, for the first start");
  agent->add_option("--name", args->name, "Name of this node (the host's)");
  agent->add_option("--role", args->role, "What it does: label `role` (node)");
  agent->add_option("--cluster", args->cluster, "Label `cluster` (default)");
  agent->add_option("--data", args->data_dir, "Folder of its id, its key and the queue");
  agent->callback([args, &exit_code] { exit_code = run_agent(*args); });
}

}  // namespace binnacle::app
