#include "engine/train/train_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/thread_pool.h"
#include "base/version.h"
#include "engine/pipeline/node_link.h"
#include "engine/train/export_model.h"
#include "engine/train/grpc_collective.h"
#include "engine/train/train_routes.h"
#include "engine/train/trainer.h"
#include "net/io_threads.h"
#include "net/listen_address.h"
#include "net/server.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kLookEveryMs = 200;  // for signals and stalls
constexpr size_t kMaxQueuedRequests = 64;

// In order of construction: what stands lower uses what stands above it, and goes first.
class Process {
 public:
  Process(const TrainArgs& args, const TrainView& view)
      : args_(args), view_(view), settings_(args.settings) {}

  Status open();
  Result<bool> run();

 private:
  bool first() const { return settings_.rank == 0; }
  Status open_http();
  Status open_link();
  Status open_run();
  Status open_collective();
  void train() EXCLUDES(mu_);
  void look_for_stall();
  void tell(const TrainEvent& event);
  TrainHealth health();

  const TrainArgs args_;
  const TrainView view_;
  TrainSettings settings_;
  const Log log_{"train"};
  SystemClock clock_;
  FileSystem& files_ = real_file_system();
  Registry registry_;
  ThreadPool pool_{"pool", 1, kMaxQueuedRequests};
  net::IoThreads io_{1};
  net::Router router_;
  std::unique_ptr<net::Server> http_;
  std::unique_ptr<NodeLink> link_;
  std::optional<CheckpointFolder> checkpoints_;
  TextCorpus corpus_;
  std::unique_ptr<TorchModel> model_;
  std::unique_ptr<Collective> collective_;
  std::unique_ptr<TrainMetrics> metrics_;
  std::unique_ptr<Trainer> trainer_;
  std::atomic<const StallWatch*> stalls_ = nullptr;  // once training begins
  std::atomic<int64_t> step_ = 0;
  std::atomic<bool> stop_ = false;
  bool stalled_ = false;  // main thread

  Mutex mu_;
  CondVar ended_;
  std::optional<Result<TrainEnd>> end_ GUARDED_BY(mu_);
};

Status Process::open() {
  TRY(check_settings(settings_));
  io_.start();
  if (first()) {
    TRY_ASSIGN(checkpoints_, CheckpointFolder::open(files_, args_.out + "/checkpoints"));
  }
  TRY(open_http());
  TRY(open_link());
  return open_run();
}

Status Process::open_http() {
  if (args_.http.empty()) return {};
  if (!args_.insecure && !net::is_loopback_address(args_.http)) {
    return fail(Code::kFailedPrecondition,
                fmt::format("--http {}: others can reach this address and nothing would ask them "
                            "for a key; take a loopback address, or give --insecure",
                            args_.http));
  }
  register_process_instruments(registry_, version(), revision());
  TRY(add_train_routes(router_, registry_, [this] { return health(); }));
  http_ = std::make_unique<net::Server>(io_, router_, nullptr, pool_, registry_, clock_,
                                        net::ServerLimits{});
  TRY(http_->listen({.address = args_.http, .groups = {}, .tls = nullptr}));
  http_->start();
  if (view_.say) view_.say("metrics: http://" + http_->addresses().front() + "/metrics");
  return {};
}

Status Process::open_link() {
  if (args_.server.empty() || !first()) return {};
  TRY_ASSIGN(link_, NodeLink::open({.server_url = args_.server,
                                    .key = "",
                                    .token = args_.token,
                                    .folder = args_.out + "/node",
                                    .name = args_.name,
                                    .role = "trainer",
                                    .cluster = args_.cluster},
                                   {}, files_, io_, clock_, registry_));
  link::Facts facts;
  facts.facts.push_back({"model", settings_.shape.config.name});
  facts.facts.push_back({"parameters", std::to_string(settings_.shape.config.parameters())});
  facts.facts.push_back({"ranks", std::to_string(settings_.ranks)});
  link_->set_facts(std::move(facts));
  return link_->start();
}

Status Process::open_run() {
  const auto processors = std::max(1U, std::thread::hardware_concurrency());
  const int threads =
      args_.threads > 0 ? args_.threads
                        : std::max(1, static_cast<int>(processors) / std::max(1, settings_.ranks));
  set_tensor_threads(threads);
  TRY_ASSIGN(corpus_, TextCorpus::read(files_, args_.data,
                                       static_cast<size_t>(settings_.length) + 1, args_.corpus));
  TRY_ASSIGN(model_, TorchModel::create(settings_.shape));
  if (settings_.peak_flops == 0) settings_.peak_flops = measure_matmul_flops_per_second(clock_);
  if (view_.say) {
    view_.say(fmt::format(
        "{} texts, {} tokens to train on, {} to validate with{}", corpus_.files,
        corpus_.training.size(), corpus_.validation.size(),
        corpus_.skipped > 0 ? fmt::format(" ({} binary files left out)", corpus_.skipped) : ""));
    view_.say(fmt::format("model {}: {} parameters; {} threads, {:.0f} GFLOPS a large product",
                          settings_.shape.config.name, settings_.shape.config.parameters(), threads,
                          settings_.peak_flops / 1e9));
  }
  TRY(open_collective());
  metrics_ = std::make_unique<TrainMetrics>(registry_, settings_, model_->size(), clock_);
  TrainerParts parts{.model = *model_,
                     .corpus = corpus_,
                     .collective = *collective_,
                     .checkpoints = checkpoints_ ? &*checkpoints_ : nullptr,
                     .metrics = *metrics_,
                     .clock = clock_,
                     .export_model = {},
                     .tell = [this](const TrainEvent& event) { tell(event); },
                     .progress =
                         [this](const StepFigures& figures) {
                           step_ = figures.step;
                           if (view_.step) view_.step(figures);
                         },
                     .validated = view_.validated,
                     .stop_asked = [this] { return stop_.load(); }};
  if (first()) {
    parts.export_model = [this] {
      return export_model(*model_, settings_.shape.config, args_.export_type, args_.out + "/model");
    };
  }
  trainer_ = std::make_unique<Trainer>(settings_, std::move(parts));
  return {};
}

Status Process::open_collective() {
  if (settings_.ranks == 1) {
    collective_ = std::make_unique<SoleRank>();
    return {};
  }
  GrpcCollectiveOptions options;
  options.rank = settings_.rank;
  options.ranks = settings_.ranks;
  options.address = args_.coordinator;
  options.fingerprint = settings_fingerprint(settings_) ^ corpus_.fingerprint;
  options.tls = args_.tls;
  options.insecure = args_.insecure;
  options.max_values = model_->size();
  options.median_step_ms = [this] { return trainer_->stalls().median_step_ms(); };
  TRY_ASSIGN(auto opened, GrpcCollective::open(std::move(options), files_, clock_));
  if (first() && view_.start_others) TRY(view_.start_others(opened->address()));
  collective_ = std::move(opened);
  return {};
}

Result<bool> Process::run() {
  std::thread trainer([this] { train(); });
  std::optional<Result<TrainEnd>> end;
  while (!end) {
    const auto signal = wait_for_signal(kLookEveryMs);
    if (signal == Signal::kStop && !stop_.exchange(true)) {
      log_.info("stops after this step, with a checkpoint");
    }
    look_for_stall();
    if (link_ != nullptr) {
      if (const Status joined = link_->tick(); !joined)
        log_.error("training goes on without the server", {{"error", joined.error().message}});
    }
    const MutexLock lock(mu_);
    end = end_;
  }
  trainer.join();
  if (link_ != nullptr) link_->stop();
  if (http_ != nullptr) http_->stop(std::chrono::milliseconds(500));
  if (!*end) return fail(std::move(*end).error());
  return **end == TrainEnd::kStopped;
}

void Process::train() {
  Result<TrainEnd> end = TrainEnd::kFinished;
  if (auto begun = trainer_->begin(); !begun) {
    end = fail(std::move(begun).error());
  } else {
    step_ = trainer_->progress().step;
    stalls_ = &trainer_->stalls();
    end = trainer_->run();
  }
  if (!end) {
    tell({.kind = "train.stopped",
          .subject = "step " + std::to_string(step_.load()),
          .data = nlohmann::json{{"error", end.error().message}}.dump()});
  }
  const MutexLock lock(mu_);
  end_ = std::move(end);
}

void Process::look_for_stall() {
  const StallWatch* stalls = stalls_;
  if (stalls == nullptr) return;
  const int64_t now_ms = clock_.monotonic_ms();
  const auto since = stalls->stalled_since(now_ms);
  if (since.has_value() == stalled_) return;
  stalled_ = since.has_value();
  metrics_->stalled(stalled_);
  if (!stalled_) {
    log_.info("steps end again", {{"step", step_.load()}});
    return;
  }
  const double seconds = static_cast<double>(now_ms - *since) / 1000;
  log_.error("training stalls: no step ends", {{"last_step", step_.load()}, {"seconds", seconds}});
  tell({.kind = "train.stalled",
        .subject = "step " + std::to_string(step_.load()),
        .data = nlohmann::json{{"last_step", step_.load()}, {"seconds", seconds}}.dump()});
}

void Process::tell(const TrainEvent& event) {
  if (link_ != nullptr) link_->tell(event.kind, event.subject, event.data);
}

TrainHealth Process::health() {
  TrainHealth out;
  const StallWatch* stalls = stalls_;
  out.training = stalls != nullptr;
  out.step = step_;
  out.steps = settings_.steps;
  if (stalls == nullptr) return out;
  const int64_t now_ms = clock_.monotonic_ms();
  if (const auto since = stalls->stalled_since(now_ms)) {
    out.stalled = true;
    out.stalled_seconds = static_cast<double>(now_ms - *since) / 1000;
  }
  return out;
}

}  // namespace

Result<bool> run_training(const TrainArgs& args, const TrainView& view) {
  Process process(args, view);
  TRY(process.open());
  return process.run();
}

}  // namespace binnacle::engine
