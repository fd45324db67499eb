// What changes the set of checks; health_service_run.cc has what goes on by itself.
#include "watch/health/health_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/json_parse.h"

namespace binnacle::watch::health {
namespace {

using nlohmann::json;

constexpr size_t kMaxWaiting = 16'384;
constexpr size_t kMaxNodeBytes = 200;
const std::string kCheckObjects = "health_check";
const std::string kMaintenanceObjects = "health_maintenance";

// A file of checks round the text of one.
std::string file_round(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "checks: []\n";
  if (text[begin] == '{') return fmt::format("{{\"checks\": [{}]}}\n", text);
  std::string out = "checks:\n";
  bool first = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
    if (blank || line == "---") continue;
    out += fmt::format("{}{}\n", first && line[0] != '#' ? "  - " : "    ", line);
    if (line[0] != '#') first = false;
  }
  return out;
}

bool is_pushed(const CheckSpec& spec) {
  return spec.kind == "pushed" || spec.origin == CheckOrigin::kPushed;
}

std::string owner_of(const CheckSpec& spec) {
  switch (spec.origin) {
    case CheckOrigin::kFile:
      return fmt::format("it stands in {}; change it there", spec.place);
    case CheckOrigin::kApi:
      return "it was registered over the API; remove it there first";
    case CheckOrigin::kBuiltIn:
      return "it is built in; take another name";
    case CheckOrigin::kPushed:
      break;
  }
  return "it is pushed";
}

}  // namespace

HealthService::HealthService(HealthOptions options, HealthParts parts)
    : parts_(std::move(parts)),
      lost_(parts_.registry.counter(
          "binnacle_health_changes_lost_total",
          "Readings and changes of health that could not be taken or stored.")),
      series_errors_(parts_.registry.counter("binnacle_health_series_errors_total",
                                             "Writes of the series of health that failed.")),
      refused_(parts_.registry.counter("binnacle_health_pushes_refused_total",
                                       "Readings of agents that were refused.")),
      started_ms_(parts_.clock.wall_ms()),
      readings_(parts_.pool, kMaxWaiting),
      work_(parts_.pool, kMaxWaiting),
      runner_(
          parts_.io, parts_.clock, parts_.registry,
          [this](const std::string& name, const Reading& reading) {
            const auto taken = readings_.post([this, name, reading, at = now()] {
              const MutexLock lock(mu_);
              publish(tree_.read(name, reading, at));
            });
            if (!taken) lost_.add();
          },
          options.runner),
      options_(std::move(options)),
      tree_(options_.cluster),
      series_(parts_.samples) {}

HealthService::~HealthService() { stop(); }

Moment HealthService::now() const { return {parts_.clock.wall_ms(), parts_.clock.monotonic_ms()}; }

Status HealthService::load() {
  const MutexLock change(change_mu_);
  TRY_ASSIGN(const auto objects, parts_.objects.list(kCheckObjects));
  for (const auto& object : objects) {
    const json data = parse_json(object.data);
    auto check = data.is_object() && data.contains("text") && data["text"].is_string()
                     ? read_one(data["text"].get<std::string>())
                     : fail(Code::kDataLoss, "not the object of a check");
    if (!check) {
      log_.error("a registered check is left out",
                 {{"check", object.name}, {"error", check.error().message}});
      continue;
    }
    const MutexLock lock(mu_);
    put(*std::move(check), CheckOrigin::kApi);
  }
  TRY_ASSIGN(const auto maintained, parts_.objects.list(kMaintenanceObjects));
  for (const auto& object : maintained) {
    const json data = parse_json(object.data);
    Maintenance maintenance;
    if (data.is_object()) {
      maintenance.until_ms = data.value("until_ms", int64_t{0});
      maintenance.reason = data.value("reason", "");
    }
    if (maintenance.until_ms <= parts_.clock.wall_ms()) {
      TRY(parts_.objects.remove_api(kMaintenanceObjects, object.name));
      continue;
    }
    const MutexLock lock(mu_);
    maintenance_[object.name] = maintenance;
    publish(tree_.maintain(object.name, maintenance, now()));
  }
  return {};
}

void HealthService::put(ConfiguredCheck check, CheckOrigin origin) {
  check.spec.origin = origin;
  if (check.check == nullptr) {
    runner_.remove(check.spec.name);
  } else {
    runner_.put(check.spec, std::move(check.check));
  }
  const std::string name = check.spec.name;
  Changes changes = tree_.put(std::move(check.spec), now());
  if (const auto found = maintenance_.find(name); found != maintenance_.end()) {
    for (HealthChange& more : tree_.maintain(name, found->second, now()))
      changes.push_back(std::move(more));
  }
  publish(std::move(changes));
}

void HealthService::forget(const std::string& name, const Moment& at) {
  runner_.remove(name);
  publish(tree_.remove(name, at));
}

// Whether the checks may take the place of all of their origin (files) or join it (the API).
Status HealthService::check_new(const std::vector<ConfiguredCheck>& checks,
                                CheckOrigin origin) const {
  std::map<std::string, std::vector<std::string>> depends_on;
  for (const auto& [name, row] : tree_.checks()) {
    if (origin == CheckOrigin::kFile && row.spec.origin == CheckOrigin::kFile) continue;
    depends_on[name] = row.spec.depends_on;
  }
  const size_t others = depends_on.size();
  std::set<std::string> fresh;
  for (const ConfiguredCheck& check : checks) {
    const CheckSpec& spec = check.spec;
    if (!fresh.insert(spec.name).second) {
      return fail(Code::kAlreadyExists,
                  fmt::format("{}: check {}: there are two of this name", spec.place, spec.name));
    }
    const auto held = tree_.checks().find(spec.name);
    if (held != tree_.checks().end() && held->second.spec.origin != origin &&
        held->second.spec.origin != CheckOrigin::kPushed) {
      return fail(Code::kFailedPrecondition, fmt::format("check {}: there is one of this name: {}",
                                                         spec.name, owner_of(held->second.spec)));
    }
    depends_on[spec.name] = spec.depends_on;
  }
  if (depends_on.size() > std::max(options_.max_checks, others)) {
    return fail(Code::kResourceExhausted,
                fmt::format("{} checks: the limit is {} (health.max_checks)", depends_on.size(),
                            options_.max_checks));
  }
  // Older ones may depend on what has gone since; that is no fault of the new ones.
  for (auto& [name, on] : depends_on) {
    if (fresh.contains(name)) continue;
    std::erase_if(on, [&](const std::string& other) { return !depends_on.contains(other); });
  }
  return check_dependencies(depends_on);
}

Status HealthService::check_files(const std::vector<ConfiguredCheck>& checks) {
  const MutexLock change(change_mu_);
  const MutexLock lock(mu_);
  return check_new(checks, CheckOrigin::kFile);
}

Status HealthService::set_files(std::vector<ConfiguredCheck> checks) {
  const MutexLock change(change_mu_);
  const MutexLock lock(mu_);
  TRY(check_new(checks, CheckOrigin::kFile));
  std::set<std::string> stay;
  for (const ConfiguredCheck& check : checks) stay.insert(check.spec.name);
  std::vector<std::string> gone;
  for (const auto& [name, row] : tree_.checks()) {
    if (row.spec.origin == CheckOrigin::kFile && !stay.contains(name)) gone.push_back(name);
  }
  for (const std::string& name : gone) forget(name, now());
  for (ConfiguredCheck& check : checks) put(std::move(check), CheckOrigin::kFile);
  return {};
}

Result<ConfiguredCheck> HealthService::read_one(std::string_view text) const {
  TRY_ASSIGN(auto checks, parts_.read_checks("request", file_round(text), false));
  if (checks.size() != 1) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("register: {} checks in the body: write one, as JSON or YAML", checks.size()));
  }
  checks.front().spec.place.clear();
  return std::move(checks.front());
}

Result<std::string> HealthService::register_check(std::string_view text) {
  TRY_ASSIGN(ConfiguredCheck check, read_one(text));
  const std::string name = check.spec.name;
  const MutexLock change(change_mu_);
  std::vector<ConfiguredCheck> one;
  one.push_back(std::move(check));
  {
    const MutexLock lock(mu_);
    TRY(check_new(one, CheckOrigin::kApi));
  }
  // JSON in JSON, so that what cannot be read any more can still be seen.
  TRY(parts_.objects.put_api(
      kCheckObjects, name,
      json({{"text", text}}).dump(-1, ' ', false, json::error_handler_t::replace)));
  const MutexLock lock(mu_);
  put(std::move(one.front()), CheckOrigin::kApi);
  return name;
}

Status HealthService::remove_check(const std::string& name) {
  const MutexLock change(change_mu_);
  CheckOrigin origin = CheckOrigin::kPushed;
  {
    const MutexLock lock(mu_);
    const auto found = tree_.checks().find(name);
    if (found == tree_.checks().end())
      return fail(Code::kNotFound, fmt::format("check {}: there is none", name));
    origin = found->second.spec.origin;
    if (origin == CheckOrigin::kFile || origin == CheckOrigin::kBuiltIn) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("remove check {}: {}", name, owner_of(found->second.spec)));
    }
  }
  if (origin == CheckOrigin::kApi) TRY(parts_.objects.remove_api(kCheckObjects, name));
  const MutexLock lock(mu_);
  forget(name, now());
  return {};
}

Status HealthService::maintain(const std::string& name, Maintenance maintenance) {
  const MutexLock change(change_mu_);
  bool was = false;
  {
    const MutexLock lock(mu_);
    if (!tree_.checks().contains(name))
      return fail(Code::kNotFound, fmt::format("check {}: there is none", name));
    was = maintenance_.contains(name);
  }
  if (maintenance.until_ms > 0) {
    TRY(parts_.objects.put_api(
        kMaintenanceObjects, name,
        json({{"until_ms", maintenance.until_ms}, {"reason", maintenance.reason}})
            .dump(-1, ' ', false, json::error_handler_t::replace)));
  } else if (was) {
    TRY(parts_.objects.remove_api(kMaintenanceObjects, name));
  }
  const MutexLock lock(mu_);
  if (maintenance.until_ms > 0) {
    maintenance_[name] = maintenance;
  } else {
    maintenance_.erase(name);
  }
  publish(tree_.maintain(name, std::move(maintenance), now()));
  return {};
}

Status HealthService::run_now(const std::string& name) {
  {
    const MutexLock lock(mu_);
    const auto found = tree_.checks().find(name);
    if (found == tree_.checks().end())
      return fail(Code::kNotFound, fmt::format("check {}: there is none", name));
    if (is_pushed(found->second.spec) || found->second.spec.origin == CheckOrigin::kBuiltIn) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("run check {}: its readings come from outside", name));
    }
  }
  return runner_.run_now(name);
}

Status HealthService::make_pushed(const std::string& name, const PushedReading& pushed) {
  if (!options_.create_pushed) {
    return fail(
        Code::kNotFound,
        fmt::format("check {}: there is none; register it, or set health.create_pushed", name));
  }
  if (!is_check_name(name)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("check ({}): write 1 to 200 letters, digits or any of _ . : / -", name));
  }
  if (!pushed.component.empty() && !is_check_name(pushed.component)) {
    return fail(Code::kInvalidArgument,
                fmt::format("check {}: component: write 1 to 200 letters, digits or any of "
                            "_ . : / -",
                            name));
  }
  if (pushed.node.size() > kMaxNodeBytes)
    return fail(Code::kInvalidArgument, fmt::format("check {}: node: at most 200 bytes", name));
  if (tree_.checks().size() >= options_.max_checks) {
    return fail(Code::kResourceExhausted,
                fmt::format("check {}: there are {} checks (health.max_checks)", name,
                            tree_.checks().size()));
  }
  CheckSpec spec;
  spec.name = name;
  spec.kind = "pushed";
  spec.component = pushed.component;
  spec.node = pushed.node;
  spec.description = pushed.description;
  spec.criticality = pushed.criticality.value_or(Criticality::kCritical);
  spec.rise = spec.fall = 1;  // who pushes has judged
  spec.ttl_ms = pushed.ttl_ms.value_or(options_.pushed_ttl_ms);
  put({std::move(spec), nullptr}, CheckOrigin::kPushed);
  return {};
}

Status HealthService::push(const std::string& name, const PushedReading& pushed) {
  const MutexLock lock(mu_);
  auto found = tree_.checks().find(name);
  if (found == tree_.checks().end()) {
    TRY(make_pushed(name, pushed));
    found = tree_.checks().find(name);
  }
  const CheckSpec& held = found->second.spec;
  if (!is_pushed(held)) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("push to check {}: it is a {} check, which runs here; take another name", name,
                    held.kind));
  }
  if (pushed.ttl_ms && *pushed.ttl_ms != held.ttl_ms) {
    CheckSpec spec = held;
    spec.ttl_ms = *pushed.ttl_ms;
    publish(tree_.put(std::move(spec), now()));
  }
  publish(tree_.read(name, pushed.reading, now()));
  return {};
}

void HealthService::push_soon(std::string name, PushedReading pushed) {
  const auto taken = readings_.post([this, name = std::move(name), pushed = std::move(pushed)] {
    const Status done = push(name, pushed);
    if (done) return;
    refused_.add();
    log_.debug("a pushed reading was refused", {{"check", name}, {"error", done.error().message}});
  });
  if (!taken) lost_.add();
}

Status HealthService::put_reading(const CheckSpec& spec, const Reading& reading) {
  const MutexLock lock(mu_);
  const auto found = tree_.checks().find(spec.name);
  if (found == tree_.checks().end()) {
    if (tree_.checks().size() >= options_.max_checks) {
      return fail(Code::kResourceExhausted,
                  fmt::format("check {}: there are {} checks (health.max_checks)", spec.name,
                              tree_.checks().size()));
    }
    put({spec, nullptr}, CheckOrigin::kBuiltIn);
  } else if (found->second.spec.origin != CheckOrigin::kBuiltIn) {
    return fail(Code::kAlreadyExists, fmt::format("check {}: there is one of this name: {}",
                                                  spec.name, owner_of(found->second.spec)));
  }
  publish(tree_.read(spec.name, reading, now()));
  return {};
}

void HealthService::remove_built_in(const std::string& name) {
  const MutexLock lock(mu_);
  const auto found = tree_.checks().find(name);
  if (found == tree_.checks().end() || found->second.spec.origin != CheckOrigin::kBuiltIn) return;
  forget(name, now());
}

}  // namespace binnacle::watch::health
