#include "engine/worker_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <memory>

#include "base/signals.h"
#include "base/version.h"
#include "engine/pipeline/worker_process.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kTickMs = 1'000;
constexpr int64_t kDrainMs = 5'000;

int run_worker(const WorkerArgs& args) {
  const auto failed = [](const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
  };
  auto process = WorkerProcess::create(args);
  if (!process) return failed(process.error());
  if (const Status started = (*process)->start(); !started) return failed(started.error());
  std::printf("Binnacle engine %s: %s\n", version().data(), (*process)->greeting().c_str());
  std::fflush(stdout);
  while (wait_for_signal(kTickMs) != Signal::kStop) {
    if ((*process)->asked_to_drain()) break;
    if (const Status ticked = (*process)->tick(); !ticked) return failed(ticked.error());
  }
  (*process)->stop(kDrainMs);
  return 0;
}

}  // namespace

void add_worker_command(CLI::App& root, int& exit_code) {
  CLI::App* worker = root.add_subcommand(
      "worker", "Hold layers of a model and compute with them for orchestrators, until SIGTERM");
  const auto args = std::make_shared<WorkerArgs>();
  worker->add_option("--listen", args->listen, "gRPC, host:port")->capture_default_str();
  worker->add_option("--http", args->http, "/health, /metrics and /distributed-stats, host:port")
      ->capture_default_str();
  worker
      ->add_option("--models", args->models,
                   "Folder with a folder for each model; models are fetched into it")
      ->required();
  worker->add_option("--threads", args->threads, "That compute; 0: one for each core");
  worker->add_option("--memory", args->memory_bytes,
                     "Bytes that layers and KV cache may take (nine tenths of what is free)");
  worker->add_option("--expert-cache", args->expert_cache_bytes,
                     "Bytes of experts held; the others are read when needed (0: all are held)");
  worker->add_option("--expert-routing-log", args->expert_routing_log,
                     "File for a JSON line for each row and layer with experts");
  worker->add_option("--tls-cert", args->tls.certificate_file, "Certificate of this worker, PEM");
  worker->add_option("--tls-key", args->tls.key_file, "Its key, PEM");
  worker->add_option("--tls-ca", args->tls.ca_file,
                     "CA of the orchestrators' and workers' certificates, PEM");
  worker->add_option("--max-message-mib", args->max_message_mib, "Largest gRPC message")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  worker->add_option("--server", args->server,
                     "Binnacle server to register with, http://host:port");
  worker->add_option("--name", args->name, "Name of this worker (the host's)");
  worker->add_option("--cluster", args->cluster, "Label `cluster`")->capture_default_str();
  worker->add_option("--token", args->token,
                     "One-use token of `binnacle key join-token`, for the first start");
  worker->add_option("--data", args->data, "Folder of the worker's id and its key");
  worker->add_option("--emulate-seconds-per-row-layer", args->emulated_seconds_per_row_layer,
                     "For benches: no weights, each row of a layer takes that long");
  worker->callback([args, &exit_code] { exit_code = run_worker(*args); });
}

}  // namespace binnacle::engine
