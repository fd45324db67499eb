#include "engine/pipeline/serving.h"

#include <algorithm>

#include <fmt/format.h>
#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include "base/data_folder.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/version.h"
#include "engine/model/kernels.h"
#include "engine/model/weight_bandwidth.h"
#include "engine/pipeline/checkpoint.h"
#include "engine/pipeline/folder_loader.h"
#include "engine/pipeline/local_worker.h"
#include "engine/pipeline/node_facts.h"
#include "engine/pipeline/node_link.h"
#include "engine/pipeline/remote_worker.h"
#include "engine/pipeline/serve_routes.h"
#include "engine/pipeline/worker_search.h"
#include "net/listen_address.h"
#include "net/server.h"

namespace binnacle::engine {
namespace {

constexpr size_t kPoolThreads = 2;
constexpr size_t kMaxQueuedPoolWork = 1024;
constexpr size_t kIoThreads = 1;
constexpr int64_t kDrainLookMs = 20;
constexpr uint64_t kMaxKeyBytes = 4096;

Result<std::string> read_key(const std::string& file, FileSystem& files) {
  if (file.empty()) return std::string();
  TRY_ASSIGN(std::string key, files.read_file(file, kMaxKeyBytes));
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.empty()) return fail(Code::kInvalidArgument, fmt::format("{}: no key in it", file));
  return key;
}

Status check_address(const ServingOptions& options) {
  TRY_ASSIGN(const auto address, net::ListenAddress::parse(options.listen));
  const bool loopback = !address.unix_path.empty() || address.host == "localhost" ||
                        address.host == "::1" || address.host.starts_with("127.");
  if (loopback || !options.key_file.empty() || options.insecure) return {};
  return fail(Code::kFailedPrecondition,
              fmt::format("listen on {}: others could use this engine; give it a key (--key-file) "
                          "or say --insecure",
                          options.listen));
}

std::string parent_of(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  const size_t slash = folder.rfind('/');
  return slash == std::string::npos ? "." : folder.substr(0, std::max<size_t>(slash, 1));
}

FolderLoaderOptions loader_options(const ServingOptions& options) {
  FolderLoaderOptions loader;
  loader.models_folder = parent_of(options.model_folder);
  loader.threads = options.threads;
  loader.memory_bytes = options.local_memory_bytes;
  if (options.emulated) loader.emulated_seconds_per_row_layer = options.emulated_seconds;
  return loader;
}

}  // namespace

// In order of construction: what stands lower uses what stands above it, and goes first.
struct Serving::Parts {
  explicit Parts(ServingOptions o) : options(std::move(o)) {}

  const ServingOptions options;
  FileSystem& files = real_file_system();
  SystemClock clock;
  SystemRandom random;
  Registry registry;
  const Log log{"serve"};
  StageInstruments instruments{registry};
  FolderLoader loader{loader_options(options), files, registry};
  double bandwidth = 0;  // of this process' computing; measured when it may be asked to
  ThreadPool pool{"pool", kPoolThreads, kMaxQueuedPoolWork};
  net::IoThreads io{kIoThreads};
  // Null: no server.
  std::unique_ptr<NodeLink> link;
  std::unique_ptr<WorkerSearch> search;
  std::unique_ptr<Orchestrator> orchestrator;
  std::unique_ptr<OpenAiFront> front;
  std::unique_ptr<net::Guard> guard;
  net::Router router;
  std::unique_ptr<net::Server> server;
  std::string stamp;  // of the checkpoint that is served
  int64_t next_look_ms = 0;
  int32_t vocabulary = 0;
  std::string model_name;  // the folder's
  std::atomic<bool> draining{false};
  bool started = false;
  Mutex reloading;  // one at a time: from the main thread and from the route

  CheckpointOptions checkpoint_options() const {
    return {options.model_folder, options.model_name, options.orchestrator.kv_positions,
            options.emulated};
  }
  OrchestratorHooks hooks();
  Status make();
  Status make_server();
  Status open_link(const Checkpoint& checkpoint);
  Status reload() EXCLUDES(reloading);
};

OrchestratorHooks Serving::Parts::hooks() {
  OrchestratorHooks hooks;
  hooks.connect = [this](const std::string& address) -> Result<std::unique_ptr<Worker>> {
    RemoteWorkerOptions remote;
    remote.address = address;
    remote.tls = options.worker_tls;
    TRY_ASSIGN(auto worker, RemoteWorker::open(std::move(remote), files, clock, random));
    return std::unique_ptr<Worker>(std::move(worker));
  };
  if (options.local || options.local_fallback) {
    hooks.local = [this]() -> Result<std::unique_ptr<Worker>> {
      WorkerFacts facts;
      facts.name = "local";
      facts.software = fmt::format("binnacle-engine {}", version());
      facts.kernel = options.emulated ? "emulated-v1" : kernels().front()->arithmetic;
      facts.weight_bytes_per_second = bandwidth;
      facts.memory_bytes = options.local_memory_bytes;
      facts.models = {model_name};
      return std::unique_ptr<Worker>(
          std::make_unique<LocalWorker>(std::move(facts), loader, clock, instruments));
    };
  }
  hooks.event = [this](const OrchestratorEvent& event) {
    if (!link) return;
    link->tell("engine." + event.kind, event.subject, nlohmann::json{{"text", event.text}}.dump());
  };
  return hooks;
}

Status Serving::Parts::make() {
  TRY(check_address(options));
  stamp = checkpoint_stamp(options.model_folder, files);
  TRY_ASSIGN(Checkpoint checkpoint, load_checkpoint(checkpoint_options(), files, clock));
  vocabulary = checkpoint.source.config.vocabulary;
  model_name = checkpoint.source.name;
  if (options.local || options.local_fallback)
    bandwidth = measure_weight_bandwidth(options.threads);
  if (!options.server_url.empty()) {
    TRY(open_link(checkpoint));
  }
  OrchestratorOptions orchestrating = options.orchestrator;
  orchestrating.emulated = options.emulated;
  orchestrator =
      std::make_unique<Orchestrator>(orchestrating, checkpoint.source, hooks(), clock, registry);
  front = std::make_unique<OpenAiFront>(options.front, checkpoint.served, *orchestrator, pool,
                                        registry, clock, random);
  return make_server();
}

Status Serving::Parts::open_link(const Checkpoint& checkpoint) {
  NodeLinkOptions node{.server_url = options.server_url,
                       .key = options.server_key,
                       .token = options.server_token,
                       .folder = options.data_folder.empty() ? default_data_folder() + "/engine"
                                                             : options.data_folder,
                       .name = options.node_name,
                       .role = "engine",
                       .cluster = options.cluster};
  TRY_ASSIGN(link, NodeLink::open(std::move(node), {}, files, io, clock, registry));
  link->set_facts(serving_node_facts(checkpoint));
  search = std::make_unique<WorkerSearch>(options.server_url, *link, files, io, registry);
  return {};
}

Status Serving::Parts::make_server() {
  TRY(front->register_routes(router));
  ServeRoutesDeps deps{*orchestrator, registry, [this] { return reload(); },
                       [this] { return draining.load(); }};
  TRY(register_serve_routes(router, std::move(deps)));
  TRY_ASSIGN(std::string key, read_key(options.key_file, files));
  guard = make_key_guard(std::move(key));
  register_process_instruments(registry, version(), revision());
  server = std::make_unique<net::Server>(io, router, guard.get(), pool, registry, clock,
                                         net::ServerLimits{});
  return server->listen({.address = options.listen, .groups = {}, .tls = nullptr});
}

Status Serving::Parts::reload() {
  const MutexLock lock(reloading);
  const std::string fresh = checkpoint_stamp(options.model_folder, files);
  auto checkpoint = load_checkpoint(checkpoint_options(), files, clock);
  if (checkpoint && checkpoint->source.config.vocabulary != vocabulary) {
    checkpoint =
        fail(Code::kFailedPrecondition,
             fmt::format("{}: its vocabulary is {} and not {}; start the engine anew",
                         options.model_folder, checkpoint->source.config.vocabulary, vocabulary));
  }
  registry
      .counter("binnacle_checkpoint_reloads_total", "Checkpoints that were to be taken up.",
               {{"result", checkpoint ? "taken" : "refused"}})
      .add();
  stamp = fresh;
  if (!checkpoint) {
    log.warn("a new checkpoint is not fit to be served; the old one stays",
             {{"error", checkpoint.error().message}});
    return fail(checkpoint.error());
  }
  front->set_model(checkpoint->served);
  if (link != nullptr) link->set_facts(serving_node_facts(*checkpoint));
  orchestrator->reload(std::move(checkpoint->source));
  return {};
}

Serving::Serving(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Serving::~Serving() { stop(); }

Result<std::unique_ptr<Serving>> Serving::open(ServingOptions options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  TRY(parts->make());
  return std::unique_ptr<Serving>(new Serving(std::move(parts)));
}

Status Serving::start() {
  Parts& p = *parts_;
  p.io.start();
  p.started = true;
  if (p.link) TRY(p.link->start());
  p.orchestrator->start();
  std::vector<std::string> workers = p.options.workers;
  const bool alone = workers.empty() && p.link == nullptr;
  if (p.options.local || (alone && p.options.local_fallback)) workers.emplace_back("local");
  p.orchestrator->set_workers(workers);
  if (p.link) {
    p.search->start([&p, workers](std::vector<std::string> found) {
      found.insert(found.end(), workers.begin(), workers.end());
      p.orchestrator->set_workers(std::move(found));
    });
  }
  p.server->start();
  p.log.info("serving", {{"address", address()}, {"model", p.options.model_folder}});
  return {};
}

Status Serving::reload() { return parts_->reload(); }

void Serving::tick() {
  Parts& p = *parts_;
  if (p.link) {
    if (const Status joined = p.link->tick(); !joined)
      p.log.error("serving goes on without the server", {{"error", joined.error().message}});
  }
  const int64_t every_ms = p.options.watch_every.count();
  if (every_ms == 0 || p.clock.monotonic_ms() < p.next_look_ms) return;
  p.next_look_ms = p.clock.monotonic_ms() + every_ms;
  const std::string fresh = checkpoint_stamp(p.options.model_folder, p.files);
  bool changed = false;
  {
    const MutexLock lock(p.reloading);
    changed = !fresh.empty() && fresh != p.stamp;
  }
  if (changed && !p.reload()) p.log.warn("the watched checkpoint could not be taken up");
}

void Serving::stop() {
  Parts& p = *parts_;
  if (!p.started) return;
  p.started = false;
  p.draining = true;
  p.front->drain();
  const int64_t end_ms = p.clock.monotonic_ms() + p.options.drain.count();
  Mutex mu;
  CondVar never;
  while (p.front->in_flight() > 0 && p.clock.monotonic_ms() < end_ms) {
    const MutexLock lock(mu);
    never.wait_for_ms(mu, kDrainLookMs);
  }
  p.server->stop(std::chrono::milliseconds(1'000));
  if (p.search) p.search->stop();
  p.orchestrator->stop();
  if (p.link) p.link->stop();
  p.pool.stop();
  p.io.stop();
}

std::string Serving::address() const { return parts_->server->addresses().front(); }

}  // namespace binnacle::engine
