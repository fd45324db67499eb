#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

#include "app/agent_command.h"
#include "app/alert_commands.h"
#include "app/check_commands.h"
#include "app/config_commands.h"
#include "app/key_commands.h"
#include "app/promql_commands.h"
#include "app/query_commands.h"
#include "app/rules_commands.h"
#include "app/server_command.h"
#include "app/store_commands.h"
#include "base/signals.h"
#include "base/version.h"

int main(int argc, char** argv) {
  using namespace binnacle;
  block_signals();
  CLI::App root("Binnacle watches LLM inference and training clusters and keeps them serving.",
                "binnacle");
  root.set_version_flag("--version", std::string(version()) + " (" + std::string(revision()) + ")");
  root.require_subcommand(1);
  int exit_code = 0;
  app::add_server_command(root, exit_code);
  app::add_agent_command(root, exit_code);
  app::add_config_commands(root, exit_code);
  app::add_key_commands(root, exit_code);
  app::add_store_commands(root, exit_code);
  app::add_promql_commands(root, exit_code);
  app::add_query_commands(root, exit_code);
  app::add_check_command(root, exit_code);
  app::add_rules_commands(root, exit_code);
  app::add_alert_commands(root, exit_code);
  CLI11_PARSE(root, argc, argv);
  return exit_code;
}
