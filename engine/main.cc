#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

#include "base/signals.h"
#include "base/version.h"
#include "engine/init_command.h"
#include "engine/plan_command.h"
#include "engine/serve_command.h"
#include "engine/train_command.h"
#include "engine/worker_command.h"

int main(int argc, char** argv) {
  using namespace binnacle;
  block_signals();
  CLI::App root("The own engine of Binnacle: inference split by layers, and a trainer.",
                "binnacle-engine");
  root.set_version_flag("--version", std::string(version()) + " (" + std::string(revision()) + ")");
  root.require_subcommand(1);
  int exit_code = 0;
  engine::add_init_command(root, exit_code);
  engine::add_plan_command(root, exit_code);
  engine::add_serve_command(root, exit_code);
  engine::add_worker_command(root, exit_code);
  engine::add_train_command(root, exit_code);
  CLI11_PARSE(root, argc, argv);
  return exit_code;
}
