#include "app/server.h"

#include <atomic>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "app/agent_settings.h"
#include "app/alerts_part.h"
#include "app/config_keys.h"
#include "app/config_reload.h"
#include "app/control_routes.h"
#include "app/every.h"
#include "app/health_part.h"
#include "app/listeners.h"
#include "app/load_config.h"
#include "app/machine_collector.h"
#include "app/node_checks.h"
#include "app/node_events.h"
#include "app/readiness.h"
#include "app/rules_part.h"
#include "app/scraping.h"
#include "app/settings.h"
#include "app/state_schema.h"
#include "app/store_gate.h"
#include "app/watch_settings.h"
#include "base/config_units.h"
#include "base/data_folder.h"
#include "base/host_name.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/version.h"
#include "collect/own/own_collector.h"
#include "collect/receive/otlp.h"
#include "collect/receive/push_gateway.h"
#include "collect/receive/remote_write.h"
#include "collect/ship/merged_queryable.h"
#include "collect/ship/tee_appendable.h"
#include "link/link_server.h"
#include "net/echo_socket.h"
#include "net/io_threads.h"
#include "net/name_lookup.h"
#include "show/api_routes.h"
#include "show/dashboard_api.h"
#include "show/events_api.h"
#include "show/export_api.h"
#include "show/live.h"
#include "show/page.h"
#include "show/probes.h"
#include "show/prometheus_api.h"
#include "show/tsdb_api.h"
#include "store/access/access_routes.h"
#include "store/access/upkeep.h"
#include "watch/health/engines/engine_reading.h"
#include "watch/heartbeat/heartbeat.h"
#include "watch/heartbeat/link_confirmers.h"
#include "watch/heartbeat/up_writer.h"

namespace binnacle::app {
namespace {

using collect::host::HostCollector;

// A loop that has not turned for this long is stuck, not busy.
constexpr double kStuckLoopSeconds = 5;
constexpr int64_t kLookWhileLoadingMs = 20;
constexpr int64_t kOwnSeriesEveryMs = 5'000;
constexpr int64_t kCertificatesEveryMs = 5'000;
constexpr int64_t kRetentionEveryMs = 600'000;
constexpr size_t kMaxQueuedPoolWork = 4096;
constexpr size_t kDiscoveryThreads = 2;
constexpr size_t kMaxEchoes = 4096;
constexpr int64_t kLoopStampMs = 500;  // how old the stamp of a loop in time may be

}  // namespace

// In order of construction: what stands lower uses what stands above it, and goes first.
struct ServerProcess::Parts {
  Parts(const ServerArgs& a, Config c) : args(a), config(std::move(c)) {}

  const ServerArgs args;
  const Config config;  // as it was at the start
  SystemClock clock;
  SystemRandom random;
  FileSystem& files = real_file_system();
  Registry registry;
  const Log log{"server"};
  ConfigReloader reloader{args.config_file,         config_schema(), config,
                          process_config_sources(), registry,        clock};

  std::unique_ptr<store::state::StateStore> state;
  std::unique_ptr<store::state::EventStore> events;
  std::unique_ptr<store::access::AuditLog> audit;
  std::unique_ptr<store::state::ObjectStore> objects;
  std::unique_ptr<show::DeviceStatuses> device_statuses;
  std::unique_ptr<store::access::KeyStore> keys;
  std::unique_ptr<store::access::SessionStore> sessions;
  std::unique_ptr<store::access::TokenStore> tokens;
  std::unique_ptr<store::access::AccessUpkeep> upkeep;
  std::unique_ptr<store::access::AccessGuard> guard;

  StoreGate metrics;
  // The way of every sample: into the store and to the receivers of remote_write.
  collect::ship::TeeAppendable samples{metrics, [this](model::SeriesRef ref, std::string& packed) {
                                         const auto store = metrics.store();
                                         return store != nullptr &&
                                                store->append_labels(ref, packed);
                                       }};
  collect::gpu::GpuBoard gpus{clock};
  std::unique_ptr<HostCollector> host;
  std::unique_ptr<collect::receive::PushGateway> push;
  std::unique_ptr<collect::own::OwnCollector> own;
  collect::receive::RemoteWrite remote_write{remote_write_options(config), samples, clock, random,
                                             registry};
  collect::receive::OtlpReceiver otlp{otlp_options(config), samples, clock, registry};

  const std::string boot_id = secure_random_hex(8);
  const std::string echo_key = secure_random_hex(link::kMaxEchoKeyBytes / 2);
  std::unique_ptr<link::LinkServer> link;

  net::Router router;
  Readiness readiness;
  ThreadPool pool{"pool", pool_thread_count(config), kMaxQueuedPoolWork};
  // Apart from requests: a reload waits for discovery, which must not wait for a request.
  ThreadPool discovery_pool{"discovery", kDiscoveryThreads, kMaxQueuedPoolWork};
  ThreadPool query_helpers{"query_help", query_helper_count(config), kMaxQueuedPoolWork};
  std::unique_ptr<NodeEvents> node_events;
  std::unique_ptr<model::EventQueue> engine_events;
  query::promql::QueryLog query_log{registry};
  query::promql::QueryQueue query_queue{query_queue_options(config), clock, registry};
  show::QueryRequests query_requests{query_queue};
  net::IoThreads io{io_thread_count(config)};
  std::unique_ptr<net::EchoSocket> echo;  // null: peers alone are asked to send echoes
  // What queries read: the store, and before its beginning the stores of remote_read.
  collect::ship::MergedQueryable reads{metrics, [this] {
                                         const auto store = metrics.store();
                                         return store == nullptr ? INT64_MIN : store->oldest_ms();
                                       }};
  std::unique_ptr<watch::heartbeat::LinkConfirmers> confirmers;
  std::unique_ptr<watch::heartbeat::Heartbeat> heartbeat;
  std::unique_ptr<watch::heartbeat::UpWriter> up_writer;
  std::unique_ptr<Scraping> scraping;
  std::unique_ptr<HealthPart> health;
  std::unique_ptr<AlertsPart> alerts;
  std::unique_ptr<NodeChecks> node_checks;
  std::unique_ptr<RulesPart> rules;
  Listeners listeners{files};
  std::unique_ptr<net::Server> server;

  Every own_series{kOwnSeriesEveryMs};
  Every pushed{config.get_duration_ms("collect.push.interval")};
  Every certificates{kCertificatesEveryMs};
  Every retention{kRetentionEveryMs};
  bool started = false;
  const int64_t started_ms = clock.wall_ms();
  std::atomic<int64_t> config_loaded_ms = started_ms;
  std::atomic<bool> config_good = true;

  std::string folder;  // of everything that is stored; set by open_state()

  Status open_state();
  Status open_metrics();
  model::Labels node_labels() const;
  model::Labels own_labels(std::string_view job) const;
  Result<std::unique_ptr<HostCollector>> make_host(const Config& from);
  Status make_collectors();
  Status make_scraping();
  Status make_link();
  Status make_heartbeat();
  bool written_here(model::LabelsView labels) const;
  Status make_health();
  Status make_alerts();
  std::string first_address() const;
  void make_rules();
  Status load_rules();
  void tell_of_engine(const watch::health::EngineReport& report);
  std::string prometheus_path(const Config& from) const;
  show::MetadataList known_metadata() const;
  ConfigMap external_labels() const;
  Status register_routes();
  Status register_prometheus_api();
  show::ServerFacts facts();
  ListenPolicy listen_policy() const;
  std::map<std::string, store::access::ListenerAccess> listener_access() const;
  Status bind();
  void join_reload();
  void audit_reload(const Result<ReloadReport>& outcome);
};

Status ServerProcess::Parts::open_state() {
  folder = args.data_dir.empty() ? config.get_string("server.data_dir") : args.data_dir;
  if (folder.empty()) folder = default_data_folder();
  TRY(prepare_data_folder(files, folder));
  store::state::StateOptions options;
  options.path = state_path(folder);
  options.migrations = all_migrations();
  TRY_ASSIGN(state, store::state::StateStore::open(std::move(options), files, clock, registry));
  events = std::make_unique<store::state::EventStore>(*state, clock, registry);
  audit = std::make_unique<store::access::AuditLog>(*state, *events, clock, registry);
  objects = std::make_unique<store::state::ObjectStore>(*state, clock);
  device_statuses = std::make_unique<show::DeviceStatuses>(*objects, *audit, clock);
  TRY_ASSIGN(keys, store::access::KeyStore::load(*state, *audit, clock, random));
  TRY_ASSIGN(sessions, store::access::SessionStore::load(*state, *keys, clock, random,
                                                         session_options(config)));
  tokens = std::make_unique<store::access::TokenStore>(*state, *keys, *audit, clock, random);
  upkeep = std::make_unique<store::access::AccessUpkeep>(*keys, *sessions, *tokens);
  guard = std::make_unique<store::access::AccessGuard>(*keys, *sessions, *audit, clock, registry,
                                                       access_options(config, listener_access()));
  return {};
}

// May take seconds after a crash; /ready tells how far it is.
Status ServerProcess::Parts::open_metrics() {
  TRY_ASSIGN(auto opened,
             store::metrics::MetricStore::open(folder + "/metrics", store_options(config), files,
                                               clock, random, registry, &metrics.progress()));
  opened->start();
  metrics.open(std::move(opened));
  return {};
}

model::Labels ServerProcess::Parts::node_labels() const {
  return model::Labels{{"cluster", config.get_string("cluster.name")}, {"node", host_name()}};
}

model::Labels ServerProcess::Parts::own_labels(std::string_view job) const {
  return model::LabelsBuilder(node_labels()).set("instance", host_name()).set("job", job).build();
}

Result<std::unique_ptr<HostCollector>> ServerProcess::Parts::make_host(const Config& from) {
  return make_machine_collector(from, {files, clock, samples, registry, events.get(), &gpus},
                                own_labels("node"), host_name());
}

Status ServerProcess::Parts::make_collectors() {
  TRY_ASSIGN(host, make_host(config));
  own = std::make_unique<collect::own::OwnCollector>(registry, samples, own_labels("binnacle"));
  push = std::make_unique<collect::receive::PushGateway>(push_options(config), folder + "/push",
                                                         files, samples, clock, registry);
  TRY(push->load());
  return {};
}

Status ServerProcess::Parts::make_scraping() {
  const auto metadata = [this] { return known_metadata(); };
  scraping = std::make_unique<Scraping>(
      ScrapingParts{.folder = folder + "/remote_write",
                    .queue_max_bytes = ship_queue_max_bytes(config),
                    .scrape = scrape_options(config),
                    .engines = engine_watch_options(config),
                    .engine_labels = node_labels(),
                    .store = samples,
                    .reads = reads,
                    .ship = {io, files, clock, random, registry, metadata},
                    .pool = discovery_pool,
                    .gpus = &gpus,
                    .engine_reports = [this](const watch::health::EngineReport& report) {
                      tell_of_engine(report);
                    }});
  TRY_ASSIGN(const auto commit, scraping->prepare(prometheus_path(config)));
  commit();
  return {};
}

std::string ServerProcess::Parts::prometheus_path(const Config& from) const {
  return args.prometheus_config.empty() ? from.get_string("collect.prometheus_config")
                                        : args.prometheus_config;
}

show::MetadataList ServerProcess::Parts::known_metadata() const {
  const auto store = metrics.store();
  return store == nullptr ? show::MetadataList() : store->metadata();
}

// Of prometheus.yml and of our own configuration, which wins.
ConfigMap ServerProcess::Parts::external_labels() const {
  ConfigMap labels = reloader.current()->get_map("storage.external_labels");
  for (const model::Label& label : scraping->external_labels())
    labels.emplace(label.name, label.value);
  return labels;
}

Status ServerProcess::Parts::make_link() {
  link::LinkServerOptions options = link_options(config);
  options.software = version();
  options.boot_id = boot_id;
  options.echo_key = echo_key;
  link = std::make_unique<link::LinkServer>(std::move(options), clock, registry);
  node_events = std::make_unique<NodeEvents>(*events, pool, clock, registry);
  engine_events = std::make_unique<model::EventQueue>(
      *events, pool, clock,
      registry.counter("binnacle_engine_events_lost_total",
                       "Events of engines on this machine that could not be stored."));
  link->observe(*node_events);
  const std::string echo_listen = config.get_string("link.echo_listen");
  if (echo_listen == kListenOff) return {};
  // A whole rack may fall silent at once.
  TRY_ASSIGN(echo, net::EchoSocket::open(io.context(0), echo_listen, clock, random, registry,
                                         {.max_running = kMaxEchoes}));
  echo->set_key(echo_key);
  return {};
}

Status ServerProcess::Parts::make_heartbeat() {
  TRY_ASSIGN(auto options, heartbeat_options(config, files));
  confirmers = std::make_unique<watch::heartbeat::LinkConfirmers>(*link, io, echo.get(), clock);
  const auto io_lag_ms = [this] {
    return static_cast<int64_t>(io.slowest_turn_seconds() * 1e3) - kLoopStampMs;
  };
  heartbeat = std::make_unique<watch::heartbeat::Heartbeat>(
      std::move(options), watch::heartbeat::HeartbeatDeps{link->nodes(), *confirmers, *events, pool,
                                                          clock, registry, io_lag_ms});
  link->observe(*heartbeat);
  link->judged_by(*heartbeat);
  up_writer = std::make_unique<watch::heartbeat::UpWriter>(
      up_writer_options(config), *heartbeat, samples, metrics,
      [this](model::LabelsView labels) { return written_here(labels); }, clock, registry);
  return {};
}

// Series with the label of a node that go on without its agent: what this server collects of its
// own machine, where an agent may run, too. Agents tell their role.
bool ServerProcess::Parts::written_here(model::LabelsView labels) const {
  return labels.get("role").empty() && labels.get("node") == host_name();
}

Status ServerProcess::Parts::make_health() {
  TRY_ASSIGN(health,
             HealthPart::create(config,
                                {.io = io,
                                 .files = files,
                                 .clock = clock,
                                 .registry = registry,
                                 .pool = pool,
                                 .state = *state,
                                 .objects = *objects,
                                 .audit = *audit,
                                 .events = *events,
                                 .samples = samples,
                                 .reads = reads,
                                 .nodes = heartbeat.get(),
                                 .series_labels = own_labels("binnacle"),
                                 .join_grace_ms = config.get_duration_ms("cluster.join_grace"),
                                 .guard = *guard,
                                 .exposure = listen_policy()},
                                router));
  node_checks = std::make_unique<NodeChecks>(health->service());
  link->observe(*node_checks);
  return {};
}

// As configured: nothing is bound yet.
std::string ServerProcess::Parts::first_address() const {
  return args.listen.empty() ? config.at("server.listen", 0).get_string("address")
                             : args.listen.front();
}

Status ServerProcess::Parts::make_alerts() {
  TRY_ASSIGN(alerts, AlertsPart::create(config,
                                        {.io = io,
                                         .files = files,
                                         .clock = clock,
                                         .random = random,
                                         .registry = registry,
                                         .pool = pool,
                                         .state = *state,
                                         .events = *events,
                                         .audit = *audit,
                                         .version = std::string(version()),
                                         .revision = std::string(revision()),
                                         .host_name = host_name(),
                                         .listen = first_address(),
                                         .started_ms = started_ms},
                                        router));
  return {};
}

void ServerProcess::Parts::make_rules() {
  rules = std::make_unique<RulesPart>(
      config,
      RulesPartTools{.io = io,
                     .files = files,
                     .clock = clock,
                     .random = random,
                     .registry = registry,
                     .discovery_pool = discovery_pool,
                     .state = *state,
                     .samples = samples,
                     .reads = reads,
                     .router = &alerts->service(),
                     .limits = [this] { return query_limits(*reloader.current()); },
                     .own_url = [this] { return listeners.url_for_links(*server, host_name()); }});
}

Status ServerProcess::Parts::load_rules() {
  TRY_ASSIGN(const auto commit, rules->prepare(config, prometheus_path(config)));
  commit();
  return {};
}

// On an I/O thread.
void ServerProcess::Parts::tell_of_engine(const watch::health::EngineReport& report) {
  if (health == nullptr) return;
  const Status put = health->service().put_reading(watch::health::engine_check(report, host_name()),
                                                   watch::health::reading_of(report));
  if (!put) log.warn("an engine is not judged", {{"error", put.error().message}});
  if (auto event = watch::health::engine_event(report)) {
    event->subject = host_name() + "/" + event->subject;
    engine_events->post(std::move(*event));
  }
}

show::ServerFacts ServerProcess::Parts::facts() {
  const auto now = reloader.current();
  show::ServerFacts facts;
  facts.started_ms = started_ms;
  facts.config_loaded_ms = config_loaded_ms;
  facts.config_good = config_good;
  facts.host_name = host_name();
  facts.folder = folder;
  facts.retention = format_duration_ms(now->get_duration_ms("storage.retention"));
  facts.collect_interval_ms = now->get_duration_ms("collect.host.interval");
  facts.threads = io_thread_count(config) + pool_thread_count(config) +
                  query_queue_options(config).max_concurrency;
  facts.replayed_bytes = metrics.progress().done_bytes;
  facts.replay_bytes = metrics.progress().total_bytes;
  facts.flags = prometheus_flags(*now, folder);
  facts.flags["config.file"] = args.config_file;
  return facts;
}

Status ServerProcess::Parts::register_prometheus_api() {
  return show::register_prometheus_api(
      router, {.store = reads,
               .clock = clock,
               .limits = [this] { return query_limits(*reloader.current()); },
               .log = query_log,
               .queue = &query_requests,
               .helpers = &query_helpers,
               .metadata = [this] { return known_metadata(); },
               .external_labels = [this] { return external_labels(); },
               .facts = [this] { return facts(); },
               .version = std::string(version()),
               .revision = std::string(revision()),
               .targets = &scraping->targets(),
               .rules = &rules->view(),
               .alertmanagers = [this] { return rules->alertmanagers(); }});
}

Status ServerProcess::Parts::register_routes() {
  const auto limits = [this] { return query_limits(*reloader.current()); };
  const std::string version_text(version());
  const auto loops_turn = [this]() -> Status {
    const double seconds = io.slowest_turn_seconds();
    if (seconds < kStuckLoopSeconds) return {};
    return fail(Code::kUnavailable,
                fmt::format("an I/O thread has not turned for {:.1f} s", seconds));
  };
  TRY(show::register_probes(router, {registry,
                                     {{"io_threads", loops_turn}},
                                     {{"state_store", [this] { return readiness.status(); }},
                                      {"metric_store", [this] { return metrics.status(); }}},
                                     version_text,
                                     std::string(revision())}));
  TRY(register_prometheus_api());
  TRY(show::register_tsdb_api(router,
                              {[this] { return metrics.store(); }, clock, folder + "/backups"}));
  TRY(remote_write.register_routes(router));
  TRY(otlp.register_routes(router));
  TRY(push->register_routes(router));
  TRY(show::register_live(router, {metrics, clock, pool, registry, limits, version_text, boot_id}));
  TRY(link->register_routes(router));
  TRY(show::register_export_api(router, {metrics, limits}));
  TRY(show::register_events_api(router, *events));
  TRY(show::register_dashboard_api(router,
                                   {metrics, clock, limits, *device_statuses, &query_requests}));
  TRY(show::register_page_routes(router));
  TRY(store::access::register_access_routes(router,
                                            {*keys, *tokens, *sessions, *audit, *guard, clock}));
  return register_control_routes(router, reloader);
}

ListenPolicy ServerProcess::Parts::listen_policy() const {
  return {.insecure = args.insecure || config.get_bool("server.insecure"),
          .has_keys = !keys->open()};
}

// Of what is bound by now, and of the gRPC port, which answers from its opening on.
std::map<std::string, store::access::ListenerAccess> ServerProcess::Parts::listener_access() const {
  std::map<std::string, store::access::ListenerAccess> all;
  if (server != nullptr) all = listeners.access(*server);
  all.emplace(net::kGrpcListener, grpc_access(config));
  return all;
}

Status ServerProcess::Parts::bind() {
  server = std::make_unique<net::Server>(io, router, guard.get(), pool, registry, clock,
                                         server_limits(config));
  server->set_access_log(config.get_bool("server.access_log"));
  TRY(listeners.bind(*server, config, args.listen, listen_policy()));
  guard->set_options(access_options(config, listener_access()));
  return {};
}

void ServerProcess::Parts::join_reload() {
  using Commit = ConfigReloader::Commit;
  const auto apply = [this](std::string name, std::function<void(const Config&)> commit) {
    reloader.add(
        {std::move(name), [commit = std::move(commit)](const Config& next) -> Result<Commit> {
           return Commit([commit, next] { commit(next); });
         }});
  };
  reloader.add({"certificates", [this](const Config&) -> Result<Commit> {
                  TRY(listeners.reload_certificates(false));
                  return Commit([] {});
                }});
  reloader.add({"log", [this](const Config& next) -> Result<Commit> {
                  LogOptions options = log_options(next);
                  if (!options.file.empty()) {
                    TRY(files.open_writable(options.file, FileSystem::Create::kAppend));
                  }
                  return Commit([options] { (void)configure_logging(options); });
                }});
  reloader.add({"host collector", [this](const Config& next) -> Result<Commit> {
                  TRY_ASSIGN(auto made, make_host(next));
                  // Shared only because a std::function must be copyable.
                  auto held = std::make_shared<std::unique_ptr<HostCollector>>(std::move(made));
                  return Commit([this, held] {
                    if (host != nullptr) host->stop();
                    host = std::move(*held);
                    if (host != nullptr) host->start();
                  });
                }});
  reloader.add({"prometheus.yml",
                [this](const Config& next) { return scraping->prepare(prometheus_path(next)); }});
  reloader.add({"rules", [this](const Config& next) {
                  return rules->prepare(next, prometheus_path(next));
                }});
  reloader.add({"health", [this](const Config& next) { return health->prepare(next); }});
  reloader.add({"alerts", [this](const Config& next) { return alerts->prepare(next); }});
  apply("metric store", [this](const Config& next) {
    if (const auto store = metrics.store()) store->set_options(store_options(next));
  });
  apply("remote write",
        [this](const Config& next) { remote_write.set_options(remote_write_options(next)); });
  apply("push", [this](const Config& next) { push->set_options(push_options(next)); });
  apply("otlp", [this](const Config& next) { otlp.set_options(otlp_options(next)); });
  apply("queries", [this](const Config& next) {
    query_queue.set_options(query_queue_options(next));
    query_log.set_slow_ms(next.get_duration_ms("query.slow_log"));
  });
  apply("access", [this](const Config& next) {
    guard->set_options(access_options(next, listener_access()));
  });
  apply("server", [this](const Config& next) {
    server->set_limits(server_limits(next));
    server->set_access_log(next.get_bool("server.access_log"));
  });
  reloader.on_done([this](const Result<ReloadReport>& outcome) { audit_reload(outcome); });
}

void ServerProcess::Parts::audit_reload(const Result<ReloadReport>& outcome) {
  store::access::AuditRecord record;
  record.actor.name = "binnacle";
  record.subject = args.config_file;
  config_good = outcome.has_value();
  if (outcome) {
    config_loaded_ms = clock.wall_ms();
    record.action = "config.reloaded";
    record.detail = reload_report_json(*outcome);
    log.info("configuration reloaded",
             {{"changed", outcome->changed.size()}, {"file", args.config_file}});
    for (const std::string& path : outcome->needs_restart) {
      log.warn("a changed setting waits for a restart", {{"key", path}});
    }
  } else {
    record.action = "config.reload_failed";
    record.outcome = store::access::AuditOutcome::kFailed;
    log.error("configuration refused, the running one stays", {{"error", outcome.error().message}});
  }
  if (auto written = audit->append(std::move(record)); !written) {
    log.error("audit of a reload not written", {{"error", written.error().message}});
  }
}

ServerProcess::ServerProcess(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<ServerProcess>> ServerProcess::create(const ServerArgs& args) {
  TRY_ASSIGN(Config config, load_config(args.config_file, process_config_sources()));
  TRY(configure_logging(log_options(config)));
  auto parts = std::make_unique<Parts>(args, std::move(config));
  register_process_instruments(parts->registry, version(), revision());
  net::register_name_lookup_instruments(parts->registry);
  TRY(parts->open_state());
  TRY(parts->make_collectors());
  TRY(parts->make_scraping());
  TRY(parts->make_link());
  TRY(parts->make_heartbeat());
  TRY(parts->make_health());
  TRY(parts->make_alerts());
  parts->make_rules();
  TRY(parts->register_routes());
  TRY(parts->bind());
  TRY(parts->load_rules());
  parts->join_reload();
  parts->reloader.pause("the server is starting");
  parts->query_log.set_slow_ms(parts->config.get_duration_ms("query.slow_log"));
  return std::unique_ptr<ServerProcess>(new ServerProcess(std::move(parts)));
}

ServerProcess::~ServerProcess() { stop(); }

Status ServerProcess::start() {
  parts_->audit->start();
  parts_->upkeep->start();
  parts_->readiness.set(parts_->state->writable());
  parts_->server->start();
  parts_->io.start();
  parts_->heartbeat->start();
  parts_->alerts->start();
  parts_->started = true;
  TRY(parts_->open_metrics());
  if (parts_->host != nullptr) parts_->host->start();
  parts_->scraping->start();
  parts_->health->start();
  parts_->rules->start();
  parts_->reloader.resume();
  return {};
}

void ServerProcess::call_off() { parts_->metrics.progress().cancelled = true; }

void ServerProcess::stop() {
  if (!parts_->started) return;
  parts_->started = false;
  const auto grace = std::chrono::milliseconds(
      parts_->reloader.current()->get_duration_ms("server.drain_timeout"));
  parts_->readiness.set(fail(Code::kUnavailable, "stopping"));
  parts_->reloader.pause("the server is stopping");
  parts_->heartbeat->stop();
  parts_->server->stop(grace);
  parts_->query_queue.stop();
  parts_->rules->stop();
  parts_->scraping->stop();
  parts_->health->stop();
  parts_->alerts->stop();
  parts_->pool.stop();
  parts_->discovery_pool.stop();
  parts_->io.stop();
  if (parts_->host != nullptr) parts_->host->stop();
  parts_->metrics.close();
  parts_->upkeep->stop();
  parts_->audit->stop();
}

void ServerProcess::tick() {
  Parts& parts = *parts_;
  const int64_t now_ms = parts.clock.monotonic_ms();
  parts.readiness.set(parts.state->writable());
  if (const auto stored = parts.up_writer->tick(); !stored) {
    parts.log.warn("up of nodes not stored", {{"error", stored.error().message}});
  }
  if (parts.own_series.due(now_ms)) {
    if (const auto refused = parts.own->collect_once(parts.clock.wall_ms()); !refused) {
      parts.log.warn("own series not stored", {{"error", refused.error().message}});
    }
    if (const auto stored = parts.link->collect_once(parts.samples, parts.clock.wall_ms());
        !stored) {
      parts.log.warn("series of the link not stored", {{"error", stored.error().message}});
    }
  }
  if (parts.pushed.due(now_ms)) {
    if (const auto stored = parts.push->append_all(); !stored) {
      parts.log.warn("pushed samples not stored", {{"error", stored.error().message}});
    }
  }
  if (parts.certificates.due(now_ms)) {
    if (const auto reloaded = parts.listeners.reload_certificates(true); !reloaded) {
      parts.log.error("changed certificate refused, the running one stays",
                      {{"error", reloaded.error().message}});
    }
  }
  if (parts.retention.due(now_ms)) {
    if (const auto pruned = parts.events->prune(event_retention(*parts.reloader.current()));
        !pruned) {
      parts.log.warn("old events not removed", {{"error", pruned.error().message}});
    }
  }
}

void ServerProcess::reload() {
  // Logged and audited by the hook.
  (void)parts_->reloader.reload();
}

std::vector<std::string> ServerProcess::urls() const {
  return parts_->listeners.urls(*parts_->server);
}

namespace {

struct Start {
  Status outcome;
  bool stop = false;    // was asked for meanwhile
  bool reload = false;  // so was this
};

// Loads the store beside, so that a signal is heard meanwhile.
Start start_beside(ServerProcess& process) {
  Start start;
  std::atomic<bool> over = false;
  std::thread loading([&] {
    start.outcome = process.start();
    over = true;
  });
  while (!over && !start.stop) {
    const auto signal = wait_for_signal(kLookWhileLoadingMs);
    start.stop = signal == Signal::kStop;
    start.reload = start.reload || signal == Signal::kReload;
  }
  if (start.stop) process.call_off();
  loading.join();
  return start;
}

}  // namespace

int run_server(const ServerArgs& args) {
  auto process = ServerProcess::create(args);
  if (!process) {
    std::fprintf(stderr, "%s\n", process.error().message.c_str());
    return 1;
  }
  for (const std::string& url : (*process)->urls())
    std::printf("Binnacle %s serves %s\n", version().data(), url.c_str());
  std::fflush(stdout);
  const Start start = start_beside(**process);
  if (!start.outcome && !start.stop) {
    std::fprintf(stderr, "%s\n", start.outcome.error().message.c_str());
    return 1;
  }
  if (start.reload && !start.stop) (*process)->reload();
  while (!start.stop) {
    const auto signal = wait_for_signal(1000);
    if (signal == Signal::kStop) break;
    if (signal == Signal::kReload) (*process)->reload();
    (*process)->tick();
  }
  (*process)->stop();
  return 0;
}

}  // namespace binnacle::app
