#include "app/health_part.h"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "app/listeners.h"
#include "base/log.h"
#include "net/listen_address.h"
#include "watch/health/check_factory.h"
#include "watch/health/health_api.h"
#include "watch/health/hook_program.h"

namespace binnacle::app {

using watch::health::ConfiguredCheck;
using watch::health::HealthOptions;
using watch::health::HookSpec;

namespace {

constexpr size_t kMaxChecksFile = size_t{16} << 20;

// It knows no keys.
Status check_agent_check(const std::string& address, const ListenPolicy& policy) {
  if (address.empty() || policy.insecure || net::is_loopback_address(address)) return {};
  return fail(Code::kFailedPrecondition,
              fmt::format("health.agent_check_listen ({}): this address asks for no keys: give one "
                          "of this machine alone (127.0.0.1:PORT), or start with --insecure",
                          address));
}

// gRPC reads the files again by itself; here is where their errors are told.
Status check_grpc(const Config& config, const std::string& address, const GrpcTls& tls,
                  FileSystem& files, const ListenPolicy& policy) {
  if (address.empty()) return {};
  const std::string what = fmt::format("server.grpc_listen ({})", address);
  TRY(check_exposure(what, address,
                     {.keys = config.get_string("server.grpc_auth") == "keys",
                      .client_certificate = tls.options.require_client_certificate},
                     policy));
  if (tls.listen_address.empty()) return {};
  auto loaded = net::TlsServerContext::load(files, tls.options);
  if (loaded) return {};
  return fail(std::move(loaded).error().with_context(
      fmt::format("{}, as listen on {}", what, tls.listen_address)));
}

}  // namespace

HealthOptions health_options(const Config& config, model::Labels series_labels,
                             int64_t join_grace_ms) {
  HealthOptions options;
  options.cluster = config.get_string("cluster.name");
  options.series_labels = std::move(series_labels);
  options.join_grace_ms = join_grace_ms;
  options.series_interval_ms = config.get_duration_ms("health.series_interval");
  options.history.max_age_ms = config.get_duration_ms("health.history_retention");
  options.history.max_count = config.get_int("health.history_max_count");
  options.max_checks = static_cast<size_t>(config.get_int("health.max_checks"));
  options.create_pushed = config.get_bool("health.create_pushed");
  options.pushed_ttl_ms = config.get_duration_ms("health.pushed_ttl");
  options.forget_pushed_ms = config.get_duration_ms("health.forget_pushed");
  for (const auto& [role, name] : config.get_map("health.node_criticality")) {
    if (const auto criticality = watch::health::criticality_of_name(name))
      options.node_criticality[role] = *criticality;
  }
  return options;
}

std::vector<HookSpec> hook_specs(const Config& config) {
  std::vector<HookSpec> specs;
  for (size_t i = 0; i < config.list_size("health.hooks"); ++i) {
    const Config entry = config.at("health.hooks", i);
    HookSpec spec;
    spec.name = entry.get_string("name");
    spec.events = entry.get_strings("events");
    spec.url = entry.get_string("url");
    spec.bearer_token_file = entry.get_string("bearer_token_file");
    spec.ca_file = entry.get_string("ca_file");
    for (const auto& [name, value] : entry.get_map("headers"))
      spec.headers.emplace_back(name, value);
    spec.command = entry.get_strings("command");
    spec.timeout_ms = entry.get_duration_ms("timeout");
    spec.retry_for_ms = entry.get_duration_ms("retry_for");
    specs.push_back(std::move(spec));
  }
  return specs;
}

HealthPart::HealthPart(const Config& config, HealthPartTools tools)
    : tools_(std::move(tools)),
      check_tools_{tools_.io, tools_.files, tools_.clock, tools_.pool, &tools_.reads},
      history_(tools_.state),
      service_(health_options(config, tools_.series_labels, tools_.join_grace_ms),
               {tools_.io, tools_.clock, tools_.registry, tools_.pool, tools_.objects, history_,
                tools_.events, tools_.samples, tools_.nodes,
                [this](const std::string& file, std::string_view yaml, bool may_execute) {
                  return watch::health::read_checks(file, yaml, check_tools_, may_execute);
                }}),
      hooks_({tools_.io, tools_.files, tools_.clock, tools_.registry, tools_.events,
              watch::health::run_hook_program}) {}

Result<std::unique_ptr<HealthPart>> HealthPart::create(const Config& config, HealthPartTools tools,
                                                       net::Router& router) {
  std::unique_ptr<HealthPart> part(new HealthPart(config, std::move(tools)));
  TRY(part->service_.load());
  TRY_ASSIGN(auto checks, part->read_files(config));
  TRY(part->service_.set_files(std::move(checks)));
  part->first_hooks_ = hook_specs(config);
  TRY(part->hooks_.check(part->first_hooks_));
  TRY(part->open_doors(config));
  TRY(watch::health::register_health_api(router, part->service_, part->tools_.audit));
  return part;
}

HealthPart::~HealthPart() { stop(); }

Result<std::vector<ConfiguredCheck>> HealthPart::read_files(const Config& config) {
  std::vector<ConfiguredCheck> all;
  for (const std::string& path : config.get_strings("health.checks_files")) {
    TRY_ASSIGN(const std::string text, tools_.files.read_file(path, kMaxChecksFile));
    TRY_ASSIGN(auto checks, watch::health::read_checks(path, text, check_tools_, true));
    for (ConfiguredCheck& check : checks) all.push_back(std::move(check));
  }
  return all;
}

Status HealthPart::open_doors(const Config& config) {
  const GrpcTls tls = grpc_tls(config);
  watch::health::OutsideOptions options{{.address = config.get_string("server.grpc_listen"),
                                         .tls = tls.options,
                                         .guard = &tools_.guard},
                                        config.get_string("health.agent_check_listen")};
  TRY(check_grpc(config, options.grpc.address, tls, tools_.files, tools_.exposure));
  TRY(check_agent_check(options.agent_check_listen, tools_.exposure));
  auto opened = watch::health::HealthOutside::open(options, service_, tools_.io, tools_.registry);
  if (!opened && config.is_default("server.grpc_listen")) {
    // Nobody asked for this port; a second server on the machine does without.
    Log("health").warn("no gRPC health service: set server.grpc_listen to a free address",
                       {{"error", opened.error().message}});
    options.grpc.address.clear();
    opened = watch::health::HealthOutside::open(options, service_, tools_.io, tools_.registry);
  }
  TRY_ASSIGN(outside_, std::move(opened));
  return {};
}

Result<ConfigReloader::Commit> HealthPart::prepare(const Config& next) {
  TRY_ASSIGN(auto checks, read_files(next));
  TRY(service_.check_files(checks));
  TRY(hooks_.check(hook_specs(next)));
  // Shared only because a std::function must be copyable.
  auto held = std::make_shared<std::vector<ConfiguredCheck>>(std::move(checks));
  return ConfigReloader::Commit([this, held, next] {
    const Log log("health");
    service_.set_options(health_options(next, tools_.series_labels, tools_.join_grace_ms));
    if (const auto set = service_.set_files(std::move(*held)); !set)
      log.error("the checks stay as they were", {{"error", set.error().message}});
    if (const auto set = hooks_.set(hook_specs(next)); !set)
      log.error("not all hooks are as configured", {{"error", set.error().message}});
  });
}

void HealthPart::start() {
  service_.start();
  if (const auto set = hooks_.set(std::exchange(first_hooks_, {})); !set)
    Log("health").error("not all hooks run", {{"error", set.error().message}});
}

void HealthPart::stop() {
  hooks_.stop();
  service_.stop();
  outside_.reset();
}

}  // namespace binnacle::app
