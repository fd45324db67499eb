#include "engine/serve_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "base/signals.h"
#include "engine/pipeline/serving.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kTickMs = 200;

struct Args {
  ServingOptions serving;
  double request_timeout_s = 600;
  double drain_s = 30;
  double watch_s = 0;
  double emulate_ms = 0;
  double longest_retry_s = 30;
  double local_memory_gb = 0;
  bool no_local = false;
  bool bf16_hops = false;
};

std::chrono::milliseconds seconds(double s) {
  return std::chrono::milliseconds(static_cast<int64_t>(s * 1e3));
}

int run(Args args) {
  LogOptions logging;
  logging.service = "binnacle-engine";
  if (const Status set = configure_logging(logging); !set) {
    std::fprintf(stderr, "binnacle-engine serve: %s\n", set.error().message.c_str());
    return 1;
  }
  ServingOptions& options = args.serving;
  options.front.request_timeout = seconds(args.request_timeout_s);
  options.drain = seconds(args.drain_s);
  options.watch_every = seconds(args.watch_s);
  options.orchestrator.longest_retry = seconds(args.longest_retry_s);
  options.emulated = args.emulate_ms > 0;
  options.emulated_seconds = args.emulate_ms / 1e3;
  options.local_fallback = !args.no_local;
  options.local_memory_bytes = static_cast<int64_t>(args.local_memory_gb * 1e9);
  if (args.bf16_hops) options.orchestrator.hop_type = NumberType::kBfloat16;
  auto serving = Serving::open(std::move(options));
  if (!serving) {
    std::fprintf(stderr, "binnacle-engine serve: %s\n", serving.error().message.c_str());
    return 1;
  }
  if (const Status started = (*serving)->start(); !started) {
    std::fprintf(stderr, "binnacle-engine serve: %s\n", started.error().message.c_str());
    return 1;
  }
  while (true) {
    const auto signal = wait_for_signal(kTickMs);
    if (signal == Signal::kStop) break;
    // What is wrong with it is in the log; the old one stays.
    if (signal == Signal::kReload && !(*serving)->reload()) continue;
    (*serving)->tick();
  }
  (*serving)->stop();
  return 0;
}

void add_placement_options(CLI::App& serve, Args& args) {
  ServingOptions& o = args.serving;
  serve.add_option("--workers", o.workers, "host:port of each worker, by commas")->delimiter(',');
  serve
      .add_option("--replicas", o.orchestrator.replicas,
                  "Pipelines of the model side by side, where there are workers enough")
      ->check(CLI::Range(1, 64));
  serve
      .add_option("--min-stages", o.orchestrator.min_stages,
                  "Workers of a pipeline at least, where there are so many, be it slower")
      ->check(CLI::Range(1, 1024));
  serve
      .add_option("--longest-retry", args.longest_retry_s,
                  "Seconds at most until a worker that failed is asked again (30)")
      ->check(CLI::Range(0.25, 3600.0));
  serve.add_flag("--local", o.local, "This process computes, too");
  serve.add_flag("--no-local-fallback", args.no_local,
                 "Do not load the model here when no worker is left");
  serve.add_option("--local-memory-gb", args.local_memory_gb,
                   "What layers and KV cache may take in this process (0: no limit)");
  serve.add_option("--threads", o.threads, "Threads that compute in this process")
      ->check(CLI::Range(1, 256));
  serve
      .add_option("--kv-positions", o.orchestrator.kv_positions,
                  "Positions of all sequences together in the KV cache of a pipeline")
      ->check(CLI::Range(int64_t{16}, int64_t{1} << 32));
  serve.add_flag("--bf16-hops", args.bf16_hops,
                 "Half as many bytes between workers; answers are not exact then");
  serve.add_option("--tls-cert", o.worker_tls.certificate_file, "PEM, for mTLS with the workers");
  serve.add_option("--tls-key", o.worker_tls.key_file, "PEM");
  serve.add_option("--tls-ca", o.worker_tls.ca_file, "PEM: who signed the workers' certificates");
  serve
      .add_option("--emulate", args.emulate_ms,
                  "No weights: so many ms for each row and layer, for benchmarks; the model's "
                  "folder needs config.json alone")
      ->check(CLI::PositiveNumber);
}

void add_request_options(CLI::App& serve, Args& args) {
  ServingOptions& o = args.serving;
  SchedulerOptions& s = o.orchestrator.scheduler;
  serve.add_option("--max-running", s.max_running, "Sequences generated at a time, a replica")
      ->check(CLI::Range(1, 4096));
  serve.add_option("--max-waiting", s.max_waiting, "Requests that wait, a replica; 429 beyond")
      ->check(CLI::Range(1, 1 << 20));
  serve.add_option("--prefill-rows", s.prefill_rows, "Prompt tokens computed in one step")
      ->check(CLI::Range(1, 4096));
  serve.add_option("--request-timeout", args.request_timeout_s, "Seconds of a request at most");
  serve.add_option("--drain-timeout", args.drain_s,
                   "Seconds that requests under way have after SIGTERM");
}

void add_server_options(CLI::App& serve, Args& args) {
  ServingOptions& o = args.serving;
  serve.add_option("--key-file", o.key_file, "File with the key that requests must bring");
  serve.add_flag("--insecure", o.insecure, "Allow addresses beyond loopback without a key");
  serve.add_option("--server", o.server_url,
                   "Binnacle's server, http://host:port: names the workers, hears of events");
  serve.add_option("--server-key", o.server_key,
                   "Key of role agent, where the server asks for one");
  serve.add_option("--token", o.server_token,
                   "One-use token of `binnacle key join-token`, for the first start");
  serve.add_option("--data", o.data_folder, "Folder of this node's identity, with --server");
  serve.add_option("--node-name", o.node_name, "Name at the server (engine)");
  serve.add_option("--cluster", o.cluster, "Cluster at the server (default)");
  serve.add_option("--watch-checkpoint", args.watch_s,
                   "Look every so many seconds whether the folder has new weights (0: on SIGHUP "
                   "and POST /admin/reload alone)");
}

}  // namespace

void add_serve_command(CLI::App& root, int& exit_code) {
  CLI::App* serve = root.add_subcommand(
      "serve", "Serve a model with OpenAI's API over workers that hold its layers, until SIGTERM");
  const auto args = std::make_shared<Args>();
  serve->add_option("--model", args->serving.model_folder, "Folder of the model")
      ->required()
      ->check(CLI::ExistingDirectory);
  serve->add_option("--name", args->serving.model_name, "Name that requests ask for");
  serve->add_option("--listen", args->serving.listen, "ADDR:PORT (127.0.0.1:8090)");
  add_placement_options(*serve, *args);
  add_request_options(*serve, *args);
  add_server_options(*serve, *args);
  serve->callback([args, &exit_code] { exit_code = run(*args); });
}

}  // namespace binnacle::engine
