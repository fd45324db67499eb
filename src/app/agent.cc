#include "app/agent.h"

#include <atomic>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/agent_facts.h"
#include "app/agent_link.h"
#include "app/config_keys.h"
#include "app/engine_watch.h"
#include "app/every.h"
#include "app/load_config.h"
#include "app/load_tap.h"
#include "app/machine_collector.h"
#include "app/settings.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/data_folder.h"
#include "base/host_name.h"
#include "base/mutex.h"
#include "base/os_memory.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/version.h"
#include "collect/engines/engine_deriver.h"
#include "collect/host/host_collector.h"
#include "collect/mesh/mesh_prober.h"
#include "collect/own/own_collector.h"
#include "collect/scrape/fetcher.h"
#include "collect/scrape/scrape_manager.h"
#include "collect/ship/queue_appendable.h"
#include "collect/ship/sample_queue.h"
#include "collect/ship/shipper.h"
#include "link/back_off.h"
#include "link/link_client.h"
#include "link/node_identity.h"
#include "net/client.h"
#include "net/echo_socket.h"
#include "net/io_threads.h"
#include "net/listen_address.h"
#include "net/name_lookup.h"
#include "net/probe_listener.h"
#include "watch/health/engines/engine_reading.h"

namespace binnacle::app {
namespace {

using collect::host::HostCollector;
using collect::ship::Gap;

constexpr int64_t kTickMs = 1'000;
constexpr int64_t kFirstJoinWaitMs = 1'000;
constexpr int64_t kLongestJoinWaitMs = 30'000;
constexpr int64_t kGapsEveryMs = 5'000;
constexpr int64_t kFactsEveryMs = 10'000;
constexpr int64_t kSettledMs = 5'000;  // what the start alone needs is done then
constexpr int64_t kIdleMemoryEveryMs = 60'000;
constexpr int64_t kBatchMs = 1'000;  // fresh samples wait at most that long for company
constexpr size_t kMaxPendingGaps = 64;
constexpr size_t kMaxQueuedPoolWork = 64;
constexpr uint32_t kEngineResultTtlMs = 30'000;

// Gaps come from any thread and leave as events of the link.
class PendingGaps {
 public:
  void add(const Gap& gap) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    if (gaps_.size() < kMaxPendingGaps) gaps_.push_back(gap);
  }
  std::vector<Gap> take() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return std::exchange(gaps_, {});
  }

 private:
  Mutex mu_;
  std::vector<Gap> gaps_ GUARDED_BY(mu_);
};

link::NodeEvent gap_event(const Gap& gap, int64_t now_ms) {
  return {.kind = "queue.gap",
          .subject = gap.reason,
          .data = nlohmann::json{{"from", format_rfc3339(gap.from_ms)},
                                 {"to", format_rfc3339(gap.to_ms)},
                                 {"samples", gap.samples},
                                 {"reason", gap.reason}}
                      .dump(),
          .time_ms = now_ms};
}

link::CheckOutcome outcome_of(watch::health::Health health) {
  using watch::health::Health;
  switch (health) {
    case Health::kHealthy:
      return link::CheckOutcome::kHealthy;
    case Health::kDegraded:
      return link::CheckOutcome::kDegraded;
    case Health::kCritical:
      return link::CheckOutcome::kCritical;
    case Health::kFailed:
      return link::CheckOutcome::kFailed;
    case Health::kUnknown:
      break;
  }
  return link::CheckOutcome::kUnknown;
}

link::CheckResult engine_check_result(const watch::health::EngineReport& report, int64_t now_ms) {
  watch::health::Reading reading = watch::health::reading_of(report);
  return {.check = "engine:" + report.instance,
          .outcome = outcome_of(reading.health),
          .message = std::move(reading.message),
          .time_ms = now_ms,
          .ttl_ms = kEngineResultTtlMs};
}

}  // namespace

// In order of construction: what stands lower uses what stands above it, and goes first.
struct AgentProcess::Parts {
  Parts(AgentArgs a, Config c, AgentSettings s, link::NodeIdentity i)
      : args(std::move(a)), config(std::move(c)), settings(std::move(s)), identity(std::move(i)) {}

  const AgentArgs args;
  const Config config;
  const AgentSettings settings;
  link::NodeIdentity identity;
  SystemClock clock;
  SystemRandom random;
  FileSystem& files = real_file_system();
  Registry registry;
  const Log log{"agent"};
  const std::string boot_id = secure_random_hex(8);

  PendingGaps gaps;
  std::shared_ptr<collect::ship::SampleQueue> queue;  // shared with its shipper
  std::unique_ptr<collect::ship::QueueAppendable> store;
  std::unique_ptr<LoadTap> load;  // before the store: what collectors write passes it
  AgentFacts facts{files, config.get_string("collect.host.proc_path"),
                   config.get_string("collect.host.sys_path")};
  collect::gpu::GpuBoard gpus{clock};
  std::unique_ptr<HostCollector> host;
  std::unique_ptr<collect::own::OwnCollector> own;

  ThreadPool pool{"pool", 1, kMaxQueuedPoolWork};
  net::IoThreads io{1};
  std::unique_ptr<collect::engines::EngineDerivers> derivers;
  std::unique_ptr<collect::scrape::ScrapeManager> scrape;
  std::unique_ptr<EngineWatch> engines;
  net::Client client{{.tls = settings.tls}, files};
  std::unique_ptr<net::ProbeListener> probes;  // null: peers cannot measure this node
  std::unique_ptr<net::EchoSocket> echo;       // null: neither answers nor asks
  std::unique_ptr<collect::mesh::MeshProber> mesh;
  AgentLinkState link_state{settings.server_url, clock};
  std::unique_ptr<collect::ship::Shipper> shipper;
  std::unique_ptr<link::LinkClient> link;
  std::atomic<link::LinkClient*> talking = nullptr;  // while others may speak through it

  // Of joining.
  std::string key;
  bool joining = false;
  link::BackOff join_wait{random, kFirstJoinWaitMs, kLongestJoinWaitMs};
  int64_t next_join_ms = 0;

  Every fact_looks{kFactsEveryMs};
  Every gap_reports{kGapsEveryMs};
  Every memory_looks{kIdleMemoryEveryMs};
  int64_t settled_ms = 0;                      // monotonic
  int64_t interval_ms = settings.interval_ms;  // that the collectors run at now
  int64_t next_own_ms = 0;
  bool started = false;

  Status open();
  void make_engines();
  model::Labels node_labels() const;
  model::Labels labels(std::string_view job) const;
  Status start_collecting();
  Status set_pace(int64_t ms);
  void find_key();
  Status try_to_join();
  Status connect();
  Status make_shipper();
  void make_mesh();
  void make_link();
  void report_gaps();
  void tell_of_engine(const watch::health::EngineReport& report);
};

Status AgentProcess::Parts::open() {
  collect::ship::QueueOptions options;
  options.name = "server";
  options.max_bytes = settings.queue_max_bytes;
  // Small enough that a small queue loses its oldest samples in steps.
  options.segment_bytes = std::min(options.segment_bytes, options.max_bytes / 8);
  options.on_gap = [this](const Gap& gap) { gaps.add(gap); };
  TRY_ASSIGN(queue, collect::ship::SampleQueue::open(settings.folder + "/queue", options, files,
                                                     registry));
  store = std::make_unique<collect::ship::QueueAppendable>(
      *queue, collect::ship::QueueAppendableOptions{}, clock, registry);
  load = std::make_unique<LoadTap>(*store);
  if (!settings.probe_listen.empty()) {
    TRY_ASSIGN(probes, net::ProbeListener::open(io.context(0), settings.probe_listen));
  }
  if (!settings.echo_listen.empty()) {
    TRY_ASSIGN(echo,
               net::EchoSocket::open(io.context(0), settings.echo_listen, clock, random, registry));
  }
  own = std::make_unique<collect::own::OwnCollector>(registry, *store, labels("binnacle-agent"));
  make_engines();
  return {};
}

void AgentProcess::Parts::make_engines() {
  const EngineWatchOptions watch = engine_watch_options(config);
  if (!watch.enabled) return;
  derivers = std::make_unique<collect::engines::EngineDerivers>(registry);
  collect::scrape::ScrapeOptions options = scrape_options(config);
  options.threads = 1;
  scrape = std::make_unique<collect::scrape::ScrapeManager>(
      options, *load, io, clock, registry, collect::scrape::http_fetchers(files, clock),
      derivers.get());
  engines = std::make_unique<EngineWatch>(
      watch, node_labels(),
      EngineWatchParts{
          .scrape = *scrape,
          .store = *load,
          .io = io,
          .pool = pool,
          .files = files,
          .clock = clock,
          .registry = registry,
          .gpus = &gpus,
          .report = [this](const watch::health::EngineReport& report) { tell_of_engine(report); }});
  engines->on_found([this](const auto& found) { facts.set_engines(found); });
  scrape->apply({engines->job()});
}

model::Labels AgentProcess::Parts::node_labels() const {
  return model::Labels{
      {"cluster", settings.cluster}, {"node", settings.name}, {"role", settings.role}};
}

model::Labels AgentProcess::Parts::labels(std::string_view job) const {
  return model::LabelsBuilder(node_labels()).set("instance", settings.name).set("job", job).build();
}

Status AgentProcess::Parts::start_collecting() {
  TRY_ASSIGN(host, make_machine_collector(config, {files, clock, *load, registry, nullptr, &gpus},
                                          labels("node"), settings.name, interval_ms));
  if (host != nullptr) host->start();
  return {};
}

Status AgentProcess::Parts::set_pace(int64_t ms) {
  if (ms == interval_ms) return {};
  interval_ms = ms;
  return host == nullptr ? Status() : host->set_interval(ms);
}

// A key that was configured, else the one of an earlier join; a token is for when the server does
// not know it any more.
void AgentProcess::Parts::find_key() {
  key = settings.key.empty() ? identity.key() : settings.key;
  if (key.empty()) {
    joining = !settings.token.empty();
    return;
  }
  if (settings.token.empty() || !settings.key.empty()) return;
  const auto good = link::key_is_accepted(client, io, settings.server_url, key);
  if (good && !*good) {
    log.warn("the server does not know this node's key any more; joining again");
    joining = true;
  } else {
    log.info("joined already; the token is left unused");
  }
}

Status AgentProcess::Parts::try_to_join() {
  const int64_t now_ms = clock.monotonic_ms();
  if (now_ms < next_join_ms) return {};
  auto issued =
      link::redeem_join_token(client, io, settings.server_url, settings.token, settings.name);
  if (issued) {
    TRY(identity.keep_key(*issued));
    key = *issued;
    joining = false;
    log.info("joined", {{"server", settings.server_url}, {"node", settings.name}});
    return connect();
  }
  if (issued.error().code != Code::kUnavailable) {
    return fail(issued.error().code, fmt::format("join {}; --token wants a fresh one-use token",
                                                 issued.error().message));
  }
  const int64_t wait_ms = join_wait.next_ms();
  next_join_ms = now_ms + wait_ms;
  log.warn("join: the server is away, samples wait in the queue",
           {{"error", issued.error().message}, {"retry_ms", wait_ms}});
  return {};
}

Status AgentProcess::Parts::connect() {
  TRY(make_shipper());
  if (settings.mesh_enabled) make_mesh();
  make_link();
  return {};
}

Status AgentProcess::Parts::make_shipper() {
  collect::ship::ShipperOptions options;
  options.name = "server";
  options.url = settings.server_url + "/api/v1/write";
  if (!key.empty()) options.http.authorization = net::Authorization{.credentials = key};
  options.http.tls = settings.tls;
  options.http.proxy_from_environment = true;
  options.batch_send_deadline_ms = kBatchMs;
  options.replay_samples_per_second = static_cast<double>(settings.replay_samples_per_second);
  collect::ship::ShipperDeps deps{io,     files,    clock,
                                  random, registry, [this] { return store->metadata(); }};
  TRY_ASSIGN(shipper, collect::ship::Shipper::create(std::move(options), queue, std::move(deps)));
  shipper->start();
  return {};
}

void AgentProcess::Parts::make_mesh() {
  const auto server = net::Url::parse(settings.server_url);
  CHECK(server.has_value());  // agent_settings() has looked
  mesh = std::make_unique<collect::mesh::MeshProber>(
      collect::mesh::MeshPlanner(settings.mesh, identity.node_id(),
                                 {"server", net::format_host_port(server->host, server->port)}),
      io, clock, registry, labels("mesh"));
  mesh->start();
}

void AgentProcess::Parts::make_link() {
  link::LinkClientOptions options;
  options.server_url = settings.server_url;
  options.key = key;
  link::Hello& hello = options.hello;
  hello.node_id = identity.node_id();
  hello.name = settings.name;
  hello.role = settings.role;
  hello.cluster = settings.cluster;
  hello.boot_id = boot_id;
  hello.software = version();
  if (probes != nullptr) hello.probe_address = probes->address();
  options.echo = echo.get();
  if (mesh != nullptr) hello.capabilities.emplace_back("mesh");
  link::LinkClientHooks hooks = link_state.hooks();
  if (mesh != nullptr) {
    hooks.peers = [this](const link::Peers& peers) { mesh->set_peers(peers.peers); };
  }
  hooks.load = [this] { return load->digest(); };
  hooks.oldest_sample_ms = [this] { return queue->oldest_time().value_or(0); };
  link = std::make_unique<link::LinkClient>(std::move(options), std::move(hooks), client, io, clock,
                                            random, registry);
  link->set_facts(facts.gather());
  link->start();
  talking = link.get();
}

void AgentProcess::Parts::report_gaps() {
  if (link == nullptr || !gap_reports.due(clock.monotonic_ms())) return;
  for (const Gap& gap : gaps.take()) {
    log.warn("samples are lost", {{"from", format_rfc3339(gap.from_ms)},
                                  {"to", format_rfc3339(gap.to_ms)},
                                  {"samples", gap.samples},
                                  {"reason", gap.reason}});
    link->send(gap_event(gap, clock.wall_ms()));
  }
}

// On the I/O thread.
void AgentProcess::Parts::tell_of_engine(const watch::health::EngineReport& report) {
  link::LinkClient* const to = talking;
  if (to == nullptr) return;
  to->send(engine_check_result(report, clock.wall_ms()));
  if (auto event = watch::health::engine_event(report)) {
    to->send(link::NodeEvent{.kind = std::move(event->kind),
                             .subject = std::move(event->subject),
                             .data = std::move(event->data),
                             .time_ms = clock.wall_ms()});
  }
}

AgentProcess::AgentProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<AgentProcess>> AgentProcess::create(const AgentArgs& args) {
  TRY_ASSIGN(Config config, load_config(args.config_file, process_config_sources()));
  TRY_ASSIGN(AgentSettings settings, agent_settings(args, config, host_name()));
  TRY(configure_logging(log_options(config)));
  TRY_ASSIGN(link::NodeIdentity identity,
             link::NodeIdentity::open(settings.folder, real_file_system()));
  auto parts =
      std::make_unique<Parts>(args, std::move(config), std::move(settings), std::move(identity));
  register_process_instruments(parts->registry, version(), revision());
  net::register_name_lookup_instruments(parts->registry);
  TRY(parts->open());
  return std::unique_ptr<AgentProcess>(new AgentProcess(std::move(parts)));
}

AgentProcess::~AgentProcess() { stop(); }

Status AgentProcess::start() {
  Parts& parts = *parts_;
  parts.started = true;
  parts.settled_ms = parts.clock.monotonic_ms() + kSettledMs;
  parts.io.start();
  TRY(parts.start_collecting());
  parts.log.info("collecting",
                 {{"node", parts.settings.name},
                  {"node_id", parts.identity.node_id()},
                  {"role", parts.settings.role},
                  {"cluster", parts.settings.cluster},
                  {"folder", parts.settings.folder},
                  {"host", parts.host != nullptr},
                  {"interval_ms", parts.interval_ms},
                  {"probe_address", parts.probes == nullptr ? "" : parts.probes->address()},
                  {"echo_address", parts.echo == nullptr ? "" : parts.echo->address()},
                  {"queued_samples", parts.queue->pending_samples()}});
  if (parts.engines != nullptr) {
    parts.scrape->start();
    parts.engines->start();
  }
  parts.find_key();
  return parts.joining ? parts.try_to_join() : parts.connect();
}

Status AgentProcess::tick() {
  Parts& parts = *parts_;
  if (parts.joining) TRY(parts.try_to_join());
  const int64_t pace_ms = parts.link_state.pace_ms();
  TRY(parts.set_pace(pace_ms == 0 ? parts.settings.interval_ms : pace_ms));
  const int64_t now_ms = parts.clock.monotonic_ms();
  if (now_ms >= parts.next_own_ms) {
    parts.next_own_ms = now_ms + parts.interval_ms;
    if (const auto refused = parts.own->collect_once(parts.clock.wall_ms()); !refused) {
      parts.log.warn("own series not queued", {{"error", refused.error().message}});
    }
  }
  if (parts.mesh != nullptr) {
    if (const auto refused = parts.mesh->collect_once(*parts.store); !refused) {
      parts.log.warn("mesh not queued", {{"error", refused.error().message}});
    }
  }
  parts.report_gaps();
  if (parts.link != nullptr && parts.fact_looks.due(now_ms)) {
    parts.link->set_facts(parts.facts.gather());
  }
  if (now_ms >= parts.settled_ms && parts.memory_looks.due(now_ms)) give_back_idle_memory();
  return {};
}

void AgentProcess::stop() {
  Parts& parts = *parts_;
  if (!parts.started) return;
  parts.started = false;
  if (parts.host != nullptr) parts.host->stop();
  if (parts.engines != nullptr) {
    parts.engines->stop();
    parts.scrape->stop();
  }
  if (parts.mesh != nullptr) parts.mesh->stop();
  if (parts.link != nullptr) parts.link->stop();
  if (parts.shipper != nullptr) parts.shipper->stop();
  parts.io.stop();
  if (const Status synced = parts.queue->sync(); !synced) {
    parts.log.error("queue not synced", {{"error", synced.error().message}});
  }
}

void AgentProcess::reload() {
  Parts& parts = *parts_;
  const auto next = load_config(parts.args.config_file, process_config_sources());
  if (!next) {
    return parts.log.error("configuration refused, the running one stays",
                           {{"error", next.error().message}});
  }
  if (const Status configured = configure_logging(log_options(*next)); !configured) {
    return parts.log.error("log settings refused", {{"error", configured.error().message}});
  }
  for (const ConfigChange& change : Config::diff(parts.config, *next)) {
    if (!change.path.starts_with("log."))
      parts.log.warn("a changed setting waits for a restart", {{"key", change.path}});
  }
}

std::string AgentProcess::greeting() const {
  const AgentSettings& settings = parts_->settings;
  return fmt::format("node {} ({}) of cluster {} reports to {}", settings.name,
                     parts_->identity.node_id(), settings.cluster, settings.server_url);
}

int run_agent(const AgentArgs& args) {
  const auto failed = [](const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
    return 1;
  };
  auto process = AgentProcess::create(args);
  if (!process) return failed(process.error());
  std::printf("Binnacle %s: %s\n", version().data(), (*process)->greeting().c_str());
  std::fflush(stdout);
  if (const Status started = (*process)->start(); !started) return failed(started.error());
  while (true) {
    const auto signal = wait_for_signal(kTickMs);
    if (signal == Signal::kStop) break;
    if (signal == Signal::kReload) (*process)->reload();
    if (const Status ticked = (*process)->tick(); !ticked) return failed(ticked.error());
  }
  (*process)->stop();
  return 0;
}

}  // namespace binnacle::app
