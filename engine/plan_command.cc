#include "engine/plan_command.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/random.h"
#include "engine/model/model_folder.h"
#include "engine/pipeline/planner.h"
#include "engine/pipeline/remote_worker.h"

namespace binnacle::engine {
namespace {

constexpr std::chrono::milliseconds kAskLimit{5'000};
constexpr uint64_t kMaxFiguresBytes = uint64_t{1} << 20;

struct Args {
  std::string model;
  std::vector<std::string> workers;
  std::string figures;
  PipelineTls tls;
  int64_t kv_positions = 16'384;
  int32_t replicas = 1;
  int32_t min_stages = 1;
  bool bf16 = false;
  std::string format = "text";
};

Result<WorkerFacts> ask(RemoteWorker& worker) {
  Mutex mu;
  CondVar came;
  std::optional<Result<WorkerFacts>> facts;
  worker.describe(kAskLimit, [&](Result<WorkerFacts> answer) {
    const MutexLock lock(mu);
    facts.emplace(std::move(answer));
    came.notify_all();
  });
  const MutexLock lock(mu);
  while (!facts) came.wait(mu);
  return *std::move(facts);
}

Result<PlanWorker> measure(const std::string& address, const PipelineTls& tls) {
  SystemClock clock;
  SystemRandom random;
  RemoteWorkerOptions options;
  options.address = address;
  options.tls = tls;
  TRY_ASSIGN(const auto worker,
             RemoteWorker::open(std::move(options), real_file_system(), clock, random));
  auto facts = ask(*worker);  // the connection is made with the first question
  const int64_t began = clock.monotonic_ns();
  if (facts) facts = ask(*worker);
  if (!facts) return fail(std::move(facts).error().with_context(address));
  PlanWorker out;
  out.address = address;
  out.bytes_per_second = facts->weight_bytes_per_second;
  out.memory_bytes = facts->memory_bytes;
  out.kernel = facts->kernel;
  out.hop_seconds = static_cast<double>(clock.monotonic_ns() - began) / 1e9;
  return out;
}

Result<std::string> plan(const Args& args) {
  PlanRequest request;
  TRY_ASSIGN(request.model, read_model_config(args.model));
  if (const auto folder = ModelFolder::open(args.model)) {
    request.weights = (*folder)->number_type();
  } else if (args.bf16) {
    request.weights = NumberType::kBfloat16;
  }
  request.kv_positions = args.kv_positions;
  request.replicas = args.replicas;
  request.min_stages = args.min_stages;
  if (!args.figures.empty()) {
    TRY_ASSIGN(const std::string yaml,
               real_file_system().read_file(args.figures, kMaxFiguresBytes));
    TRY_ASSIGN(request.workers, read_plan_workers(yaml, args.figures));
  }
  for (const std::string& address : args.workers) {
    TRY_ASSIGN(auto worker, measure(address, args.tls));
    request.workers.push_back(std::move(worker));
  }
  TRY_ASSIGN(const Plan made, make_plan(request));
  return args.format == "json" ? plan_json(request, made) + "\n" : plan_table(request, made);
}

int run(const Args& args) {
  const auto text = plan(args);
  if (!text) {
    std::fprintf(stderr, "binnacle-engine plan: %s\n", text.error().message.c_str());
    return 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace

void add_plan_command(CLI::App& root, int& exit_code) {
  CLI::App* plan = root.add_subcommand("plan", "Say which worker would hold which layers");
  const auto args = std::make_shared<Args>();
  plan->add_option("--model", args->model, "Folder of the model; config.json is enough")
      ->required()
      ->check(CLI::ExistingDirectory);
  plan->add_option("--workers", args->workers, "host:port of each worker, asked for its figures")
      ->delimiter(',');
  plan->add_option("--figures", args->figures, "YAML file with figures of workers")
      ->check(CLI::ExistingFile);
  plan->add_option("--kv-positions", args->kv_positions,
                   "Positions of all sequences together in the KV cache")
      ->check(CLI::Range(int64_t{16}, int64_t{1} << 32));
  plan->add_option("--replicas", args->replicas, "Pipelines side by side")
      ->check(CLI::Range(1, 64));
  plan->add_option("--min-stages", args->min_stages, "Workers of a pipeline at least")
      ->check(CLI::Range(1, 1024));
  plan->add_flag("--bf16", args->bf16, "Two bytes a weight, where the folder has no weights");
  plan->add_option("--format", args->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  plan->add_option("--tls-cert", args->tls.certificate_file, "PEM, for mTLS with the workers");
  plan->add_option("--tls-key", args->tls.key_file, "PEM");
  plan->add_option("--tls-ca", args->tls.ca_file, "PEM: who signed the workers' certificates");
  plan->callback([args, &exit_code] { exit_code = run(*args); });
}

}  // namespace binnacle::engine
