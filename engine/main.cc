#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "engine/train_command.h"

int main(int argc, char** argv) {
  CLI::App root("The own engine of Binnacle: inference split by layers, and a trainer.",
                "binnacle-engine");
  root.require_subcommand(1);
  int exit_code = 0;
  binnacle::engine::add_train_command(root, exit_code);
  CLI11_PARSE(root, argc, argv);
  return exit_code;
}
