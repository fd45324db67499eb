#include "app/check_local.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/format.h>

#include "app/config_keys.h"
#include "app/machine_collector.h"
#include "base/config.h"
#include "base/glob.h"
#include "base/host_name.h"
#include "base/mutex.h"
#include "collect/host/host_collector.h"
#include "store/metrics/linear_store.h"
#include "watch/health/check_factory.h"
#include "watch/health/check_runner.h"
#include "watch/health/health_json.h"
#include "watch/health/health_tree.h"

namespace binnacle::app {
namespace {

using namespace watch::health;

constexpr size_t kPoolThreads = 4;
constexpr size_t kMaxQueuedPoolWork = 1024;
constexpr int64_t kCollectMs = 1'000;
constexpr int64_t kKeepMs = 600'000;  // of figures

// This machine's figures, collected from the first time that somebody asks for them. Any thread.
class MachineFigures final : public model::Queryable {
 public:
  MachineFigures(FileSystem& files, const Clock& clock)
      : files_(files), clock_(clock), store_(clock) {}

  Result<std::unique_ptr<model::Querier>> querier(int64_t min_ms, int64_t max_ms) override
      EXCLUDES(mu_) {
    TRY(collect(max_ms));
    return store_.querier(min_ms, max_ms);
  }

  void forget_old() { store_.delete_series({}, INT64_MIN, clock_.wall_ms() - kKeepMs); }

 private:
  // Rates want two ticks. Both are told as of the second before the time that is asked about, or
  // the first question would see none.
  Status collect(int64_t asked_ms) EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    if (collector_ != nullptr) return {};
    TRY_ASSIGN(const Config config, defaults());
    const model::Labels labels{{"instance", host_name()}, {"job", "node"}, {"node", host_name()}};
    TRY_ASSIGN(collector_, make_machine_collector(config, {files_, clock_, store_, registry_},
                                                  labels, host_name(), kCollectMs));
    if (collector_ == nullptr) return fail(Code::kUnavailable, "this machine is not collected");
    const int64_t newest_ms = std::min(asked_ms, clock_.wall_ms());
    TRY(collector_->collect_once(newest_ms - kCollectMs));
    const int64_t until_ms = clock_.monotonic_ms() + kCollectMs;
    while (clock_.monotonic_ms() < until_ms)
      never_.wait_for_ms(mu_, until_ms - clock_.monotonic_ms());
    TRY(collector_->collect_once(newest_ms));
    collector_->start();
    return {};
  }

  static Result<Config> defaults() {
    auto config = Config::parse(config_schema(), "", "", process_config_sources());
    if (!config) return fail(Code::kInternal, "the defaults are not valid");
    return std::move(*config);
  }

  // Fixed after construction.
  FileSystem& files_;
  const Clock& clock_;
  Registry registry_;
  store::metrics::LinearStore store_;

  Mutex mu_;
  CondVar never_;
  std::unique_ptr<collect::host::HostCollector> collector_ GUARDED_BY(mu_);
};

bool wanted(const std::string& name, const std::vector<std::string>& only) {
  return only.empty() || std::ranges::any_of(only, [&](const std::string& pattern) {
           return matches_glob(pattern, name);
         });
}

void join(CheckSpec& spec, const LocalCheckOptions& options) {
  if (options.continuous) {
    spec.interval_ms = options.interval_ms;
  } else {
    spec.rise = spec.fall = 1;
  }
}

}  // namespace

struct LocalChecks::Parts {
  Parts(const LocalCheckOptions& o, FileSystem& f, const Clock& c)
      : options(o), files(f), clock(c), figures(f, c) {}

  Status read();
  Status read_file(const std::string& path, std::vector<ConfiguredCheck>& all);
  Status put(std::vector<ConfiguredCheck> checks);
  void heard(const std::string& name, const Reading& reading) EXCLUDES(mu);
  Moment now() const { return {clock.wall_ms(), clock.monotonic_ms()}; }

  // Fixed after construction.
  const LocalCheckOptions options;
  FileSystem& files;
  const Clock& clock;
  Registry registry;
  MachineFigures figures;
  ThreadPool pool{"checks", kPoolThreads, kMaxQueuedPoolWork};
  net::IoThreads io{1};

  std::set<std::string> names;  // of those that run; fixed before start()

  mutable Mutex mu;
  HealthTree tree GUARDED_BY(mu){"local"};
  std::set<std::string> waiting GUARDED_BY(mu);

  CheckRunner runner{
      io,
      clock,
      registry,
      [this](const std::string& name, const Reading& reading) { heard(name, reading); },
      {.first_runs_within = std::chrono::milliseconds(0)}};
};

Status LocalChecks::Parts::read_file(const std::string& path, std::vector<ConfiguredCheck>& all) {
  TRY_ASSIGN(const std::string text, files.read_file(path));
  const CheckTools tools{.io = io, .files = files, .clock = clock, .pool = pool, .store = &figures};
  TRY_ASSIGN(std::vector<ConfiguredCheck> checks, read_checks(path, text, tools, true));
  for (ConfiguredCheck& check : checks) {
    const auto same = std::ranges::find_if(
        all, [&](const ConfiguredCheck& one) { return one.spec.name == check.spec.name; });
    if (same != all.end()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("check {}: {} and {} both have it: give one another name",
                              check.spec.name, same->spec.place, check.spec.place));
    }
    all.push_back(std::move(check));
  }
  return {};
}

Status LocalChecks::Parts::read() {
  std::vector<ConfiguredCheck> checks;
  for (const std::string& path : options.files) TRY(read_file(path, checks));
  std::map<std::string, std::vector<std::string>> depends_on;
  for (const ConfiguredCheck& check : checks) depends_on[check.spec.name] = check.spec.depends_on;
  TRY(check_dependencies(depends_on));
  return put(std::move(checks));
}

Status LocalChecks::Parts::put(std::vector<ConfiguredCheck> checks) {
  const MutexLock lock(mu);
  for (ConfiguredCheck& one : checks) {
    if (!wanted(one.spec.name, options.only)) continue;
    join(one.spec, options);
    // What one depends on and was not asked for has nothing to say here.
    std::erase_if(one.spec.depends_on,
                  [&](const std::string& name) { return !wanted(name, options.only); });
    tree.put(one.spec, now());
    if (one.check == nullptr) continue;  // pushed from outside: unknown here
    names.insert(one.spec.name);
    runner.put(one.spec, std::move(one.check));
  }
  if (names.empty())
    return fail(Code::kInvalidArgument, "none of the checks runs here (--only, or all are pushed)");
  waiting = names;
  return {};
}

void LocalChecks::Parts::heard(const std::string& name, const Reading& reading) {
  const MutexLock lock(mu);
  tree.read(name, reading, now());
  waiting.erase(name);
}

LocalChecks::LocalChecks(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<LocalChecks>> LocalChecks::create(const LocalCheckOptions& options,
                                                         FileSystem& files, const Clock& clock) {
  auto parts = std::make_unique<Parts>(options, files, clock);
  TRY(parts->read());
  return std::unique_ptr<LocalChecks>(new LocalChecks(std::move(parts)));
}

LocalChecks::~LocalChecks() {
  parts_->runner.stop();
  parts_->pool.stop();
  parts_->io.stop();
}

void LocalChecks::start() {
  parts_->io.start();
  parts_->runner.start();
}

size_t LocalChecks::total() const { return parts_->names.size(); }

size_t LocalChecks::done() const {
  const MutexLock lock(parts_->mu);
  return parts_->names.size() - parts_->waiting.size();
}

std::vector<std::string> LocalChecks::waiting_for() const {
  const MutexLock lock(parts_->mu);
  return {parts_->waiting.begin(), parts_->waiting.end()};
}

void LocalChecks::again() {
  parts_->figures.forget_old();
  const MutexLock lock(parts_->mu);
  parts_->waiting = parts_->names;
}

nlohmann::json LocalChecks::tree() const {
  const MutexLock lock(parts_->mu);
  parts_->tree.look(parts_->now());
  return tree_json(parts_->tree, parts_->clock.wall_ms(), false);
}

}  // namespace binnacle::app
