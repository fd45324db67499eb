#include "engine/pipeline/worker_process.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/data_folder.h"
#include "base/file_system.h"
#include "base/host_name.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/os_memory.h"
#include "base/thread_pool.h"
#include "base/version.h"
#include "engine/model/kernels.h"
#include "engine/model/weight_bandwidth.h"
#include "engine/pipeline/folder_loader.h"
#include "engine/pipeline/model_store.h"
#include "engine/pipeline/node_facts.h"
#include "engine/pipeline/node_link.h"
#include "engine/pipeline/stage.h"
#include "engine/pipeline/worker_report.h"
#include "engine/pipeline/worker_routes.h"
#include "engine/pipeline/worker_server.h"
#include "net/io_threads.h"
#include "net/listen_address.h"
#include "net/server.h"

namespace binnacle::engine {
namespace {

constexpr size_t kMaxQueuedHttp = 64;
constexpr double kShareOfFreeMemory = 0.9;
constexpr int64_t kDrainLookMs = 50;
constexpr int64_t kHealthEveryMs = 10'000;
constexpr uint32_t kHealthTtlMs = 30'000;

Result<int64_t> memory_of(const WorkerArgs& args, FileSystem& files) {
  if (args.memory_bytes > 0) return args.memory_bytes;
  TRY_ASSIGN(const int64_t free, available_memory_bytes(files));
  return static_cast<int64_t>(kShareOfFreeMemory * static_cast<double>(free));
}

int threads_of(const WorkerArgs& args) {
  return args.threads > 0 ? args.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

FolderLoaderOptions loader_options(const WorkerArgs& args, int64_t memory_bytes) {
  return {.models_folder = args.models,
          .threads = threads_of(args),
          .memory_bytes = memory_bytes,
          .expert_cache_bytes = args.expert_cache_bytes,
          .expert_routing_log = args.expert_routing_log,
          .emulated_seconds_per_row_layer = args.emulated_seconds_per_row_layer,
          .fetch = {.tls = args.tls}};
}

bool is_loopback(const std::string& address) {
  const auto parsed = net::ListenAddress::parse(address);
  return parsed && (parsed->host.starts_with("127.") || parsed->host == "::1");
}

// Of a worker on all addresses the port alone: the server puts the address before it that it sees.
std::string reached_at(const std::string& address) {
  const auto parsed = net::ListenAddress::parse(address);
  const bool all = parsed && (parsed->host == "0.0.0.0" || parsed->host == "::");
  return all ? ":" + std::to_string(parsed->port) : address;
}

}  // namespace

// In order of construction: what stands lower uses what stands above it, and goes first.
struct WorkerProcess::Parts {
  Parts(WorkerArgs a, int64_t memory, double bandwidth)
      : args(std::move(a)),
        memory_bytes(memory),
        weight_bytes_per_second(bandwidth),
        loader(loader_options(args, memory), files, registry) {}

  Status open();
  Status open_http();
  Status open_link();
  void tell_server();
  WorkerFacts facts() const;
  link::LoadDigest load() const;

  const WorkerArgs args;
  const int64_t memory_bytes;
  const double weight_bytes_per_second;
  const Log log{"worker"};
  SystemClock clock;
  FileSystem& files = real_file_system();
  Registry registry;
  const ModelStore store{args.models, files};
  FolderLoader loader;
  StageInstruments instruments{registry};
  Stage stage{{}, loader, clock, instruments};
  std::unique_ptr<WorkerReport> report;
  std::unique_ptr<WorkerServer> grpc;
  net::IoThreads io{1};
  ThreadPool pool{"http", 1, kMaxQueuedHttp};
  net::Router router;
  std::unique_ptr<net::Server> http;
  std::unique_ptr<NodeLink> link;
  std::string told_status = "ok";
  int64_t next_health_ms = 0;
  std::atomic<bool> drain_asked{false};
  bool started = false;
};

WorkerFacts WorkerProcess::Parts::facts() const {
  return {.name = args.name.empty() ? host_name() : args.name,
          .address = args.listen,
          .software =
              "binnacle-engine " + std::string(version()) + " (" + std::string(revision()) + ")",
          .kernel = args.emulated_seconds_per_row_layer > 0 ? "emulated-v1"
                                                            : kernels().front()->arithmetic,
          .weight_bytes_per_second = weight_bytes_per_second,
          .memory_bytes = memory_bytes,
          .models = {}};
}

Status WorkerProcess::Parts::open() {
  register_process_instruments(registry, version(), revision());
  report = std::make_unique<WorkerReport>(facts(), stage, clock, registry);
  registry.before_collect([this] {
    registry.gauge("llm_models_available", "Models whose files are here.")
        .set(static_cast<double>(store.models().size()));
  });
  WorkerServerOptions options{.listen = args.listen,
                              .tls = args.tls,
                              .max_message_bytes = args.max_message_mib << 20,
                              .models_folder = args.models};
  TRY_ASSIGN(grpc, WorkerServer::open(std::move(options),
                                      {[this] {
                                         WorkerFacts now = report->facts();
                                         now.models = store.models();
                                         return now;
                                       },
                                       [this] { return report->stats_json(); }},
                                      stage, files, clock, registry));
  report->set_address(grpc->address());
  if (!args.tls.on() && !is_loopback(args.listen)) {
    log.warn(
        "workers beyond this machine are reached without TLS: whoever reaches the port may use "
        "this one; give --tls-cert, --tls-key and --tls-ca",
        {{"address", grpc->address()}});
  }
  TRY(open_http());
  return args.server.empty() ? Status() : open_link();
}

Status WorkerProcess::Parts::open_http() {
  if (args.http.empty()) return {};
  TRY(add_worker_routes(router, *report, registry));
  http = std::make_unique<net::Server>(io, router, nullptr, pool, registry, clock,
                                       net::ServerLimits{});
  return http->listen({.address = args.http});
}

Status WorkerProcess::Parts::open_link() {
  const auto listen = net::ListenAddress::parse(args.listen);
  NodeLinkOptions options{
      .server_url = args.server,
      .key = "",
      .token = args.token,
      .folder = args.data.empty() ? default_data_folder() + "/engine-worker" : args.data,
      .name = report->facts().name,
      .role = "engine-worker",
      .cluster = args.cluster,
      .probe_address = reached_at(grpc->address()),
      .echo_listen = listen ? net::format_host_port(listen->host, 0) : ""};
  NodeLinkHooks hooks{.load = [this] { return load(); },
                      .drain =
                          [this](const std::string& reason) {
                            log.info("the server drains this worker", {{"reason", reason}});
                            drain_asked = true;
                          }};
  TRY_ASSIGN(link,
             NodeLink::open(std::move(options), std::move(hooks), files, io, clock, registry));
  return {};
}

void WorkerProcess::Parts::tell_server() {
  const WorkerReport::Health health = report->health();
  link->set_facts(worker_node_facts(stage.view(), health.message));
  const int64_t now_ms = clock.monotonic_ms();
  if (health.status == told_status && now_ms < next_health_ms) return;
  told_status = health.status;
  next_health_ms = now_ms + kHealthEveryMs;
  link->tell(link::CheckResult{
      .check = "engine-worker",
      .outcome = health.fit ? link::CheckOutcome::kHealthy : link::CheckOutcome::kCritical,
      .message = health.message,
      .time_ms = clock.wall_ms(),
      .ttl_ms = kHealthTtlMs});
}

link::LoadDigest WorkerProcess::Parts::load() const {
  const StageView view = stage.view();
  return {.requests_running = static_cast<uint32_t>(view.kv.sequences),
          .requests_waiting = static_cast<uint32_t>(view.waiting)};
}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::create(const WorkerArgs& args) {
  if (args.models.empty())
    return fail(Code::kInvalidArgument, "--models is wanted: the folder with the models' folders");
  TRY(real_file_system().create_directories(args.models));
  TRY_ASSIGN(const int64_t memory, memory_of(args, real_file_system()));
  const double bandwidth = measure_weight_bandwidth(threads_of(args));
  auto parts = std::make_unique<Parts>(args, memory, bandwidth);
  TRY(parts->open());
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(std::move(parts)));
}

WorkerProcess::WorkerProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

WorkerProcess::~WorkerProcess() { stop(0); }

Status WorkerProcess::start() {
  parts_->started = true;
  parts_->io.start();
  if (parts_->http != nullptr) parts_->http->start();
  return parts_->link == nullptr ? Status() : parts_->link->start();
}

Status WorkerProcess::tick() {
  if (parts_->link == nullptr) return {};
  TRY(parts_->link->tick());
  parts_->tell_server();
  return {};
}

bool WorkerProcess::asked_to_drain() const { return parts_->drain_asked; }

void WorkerProcess::stop(int64_t grace_ms) {
  Parts& parts = *parts_;
  if (!parts.started) return;
  parts.started = false;
  parts.report->drain();
  parts.grpc->drain();
  // Orchestrators see NOT_SERVING and go elsewhere; what they have sent is computed meanwhile.
  Mutex mu;
  CondVar nobody;
  const MutexLock lock(mu);
  const int64_t end_ms = parts.clock.monotonic_ms() + grace_ms;
  while (parts.clock.monotonic_ms() < end_ms) {
    const StageView view = parts.stage.view();
    if (parts.grpc->streams() == 0 || (view.waiting == 0 && view.computing_seconds == 0)) break;
    nobody.wait_for_ms(mu, kDrainLookMs);
  }
  if (parts.link != nullptr) parts.link->stop();
  parts.grpc.reset();
  if (parts.http != nullptr) parts.http->stop(std::chrono::milliseconds(grace_ms));
  parts.io.stop();
}

std::string WorkerProcess::greeting() const {
  const Parts& parts = *parts_;
  return "worker " + parts.report->facts().name + " on " + parts.grpc->address() +
         (parts.args.tls.on() ? " (mTLS)" : "") +
         (parts.http == nullptr ? "" : ", http://" + parts.http->addresses().front());
}

}  // namespace binnacle::engine
