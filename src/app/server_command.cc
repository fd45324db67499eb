#include "app/server_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "app/server.h"

namespace binnacle::app {

void add_server_command(CLI::App& root, int& exit_code) {
  CLI::App* server =
      root.add_subcommand("server", "Collect, store, answer and show, until SIGTERM");
  const auto args = std::make_shared<ServerArgs>();
  server->add_option("--config", args->config_file, "binnacle.yaml; without it the defaults hold")
      ->check(CLI::ExistingFile);
  server->add_option("--data", args->data_dir,
                     "Folder of everything that is stored (server.data_dir)");
  server
      ->add_option(
          "--prometheus-config", args->prometheus_config,
          "prometheus.yml: what is scraped and where it is sent (collect.prometheus_config)")
      ->check(CLI::ExistingFile);
  server->add_option("--listen", args->listen,
                     "ADDR:PORT to serve on, may be repeated (server.listen)");
  server->add_flag("--insecure", args->insecure,
                   "Allow addresses beyond loopback without keys or mTLS");
  server->callback([args, &exit_code] { exit_code = run_server(*args); });
}

}  // namespace binnacle::app
