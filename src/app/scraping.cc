#include "app/scraping.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "app/remote_options.h"
#include "base/log.h"
#include "collect/discovery/source_factory.h"
#include "collect/scrape/fetcher.h"

namespace binnacle::app {
namespace {

using collect::discovery::DiscoveryJob;
using collect::discovery::PodEnvironment;
using collect::discovery::SourceParts;

const Log& scraping_log() {
  static const Log log{"scraping"};
  return log;
}

SourceParts source_parts(const ScrapingParts& parts) {
  return {.io = parts.ship.io,
          .files = parts.ship.files,
          .clock = parts.ship.clock,
          .pool = parts.pool,
          .random = parts.ship.random,
          .pod = PodEnvironment::of_process()};
}

}  // namespace

Scraping::Scraping(ScrapingParts parts)
    : parts_(std::move(parts)),
      derivers_(parts_.ship.registry),
      scrape_(parts_.scrape, parts_.store, parts_.ship.io, parts_.ship.clock, parts_.ship.registry,
              collect::scrape::http_fetchers(parts_.ship.files, parts_.ship.clock), &derivers_),
      discovery_(
          collect::discovery::source_factory(source_parts(parts_)),
          [this](const std::string& job, std::vector<model::TargetGroup> groups) {
            scrape_.set_targets(job, std::move(groups));
          },
          parts_.ship.clock, parts_.ship.registry),
      writers_(parts_.folder, parts_.store, parts_.ship),
      engines_(parts_.engines, parts_.engine_labels,
               {.scrape = scrape_,
                .store = parts_.store,
                .io = parts_.ship.io,
                .pool = parts_.pool,
                .files = parts_.ship.files,
                .clock = parts_.ship.clock,
                .registry = parts_.ship.registry,
                .gpus = parts_.gpus,
                .report = parts_.engine_reports}),
      file_(std::make_shared<const PrometheusFile>()) {}

Scraping::~Scraping() { stop(); }

Result<ConfigReloader::Commit> Scraping::prepare(const std::string& path) {
  auto file = std::make_shared<PrometheusFile>();
  if (!path.empty()) {
    TRY_ASSIGN(*file, load_prometheus_file(parts_.ship.files, path, process_environment()));
  }
  if (Status good = check(*file); !good) return fail(std::move(good).error().with_context(path));
  return ConfigReloader::Commit([this, file] {
    for (const std::string& warning : file->warnings)
      scraping_log().warn("a setting has no effect", {{"setting", warning}});
    {
      MutexLock lock(mu_);
      file_ = file;
    }
    if (started_) apply();
  });
}

// What is wrong only beside what else runs here.
Status Scraping::check(const PrometheusFile& file) const {
  const auto has_name = [](const collect::scrape::ScrapeConfig& config) {
    return config.job.job_name == EngineWatch::kJobName;
  };
  if (parts_.engines.enabled && std::ranges::any_of(file.scrape_configs, has_name)) {
    return fail(Code::kInvalidArgument,
                fmt::format("job_name `{}` is that of the engines found on this machine: choose "
                            "another, or set collect.engines.enabled to false",
                            EngineWatch::kJobName));
  }
  std::set<std::string> names;
  for (const auto& config : remote_write_configs(file, parts_.queue_max_bytes)) {
    if (names.insert(config.shipper.name).second) continue;
    return fail(
        Code::kInvalidArgument,
        fmt::format("remote_write: two receivers `{}`: give each a `name`", config.shipper.name));
  }
  return {};
}

void Scraping::apply() {
  MutexLock lock(applying_);
  const std::shared_ptr<const PrometheusFile> held = this->file();
  const PrometheusFile& file = *held;
  std::vector<collect::scrape::JobConfig> jobs;
  if (parts_.engines.enabled) jobs.push_back(engines_.job());
  std::vector<DiscoveryJob> discovered;
  for (const collect::scrape::ScrapeConfig& config : file.scrape_configs) {
    jobs.push_back(config.job);
    discovered.push_back({config.job.job_name, config.sources});
  }
  scrape_.apply(std::move(jobs));
  discovery_.apply(discovered);
  apply_remote(file);
}

// What was checked when the file was read can still fail here, as on a full disk: then what ran
// goes on.
void Scraping::apply_remote(const PrometheusFile& file) {
  if (const auto applied = writers_.apply(remote_write_configs(file, parts_.queue_max_bytes));
      !applied) {
    scraping_log().error("remote_write stays as it was", {{"error", applied.error().message}});
  }
  std::vector<std::shared_ptr<collect::ship::RemoteReadClient>> remotes;
  for (auto& options : remote_read_options(file)) {
    auto client = collect::ship::RemoteReadClient::create(
        std::move(options),
        {parts_.ship.io, parts_.ship.files, parts_.ship.clock, parts_.ship.registry});
    if (client) {
      remotes.push_back(std::move(*client));
    } else {
      scraping_log().error("a remote_read is left out", {{"error", client.error().message}});
    }
  }
  parts_.reads.set_remotes(std::move(remotes));
}

void Scraping::start() {
  started_ = true;
  scrape_.start();
  discovery_.start();
  apply();
  engines_.start();
}

void Scraping::stop() {
  if (!started_.exchange(false)) return;
  engines_.stop();
  discovery_.stop();
  scrape_.stop();
  writers_.stop();
}

std::shared_ptr<const PrometheusFile> Scraping::file() const {
  MutexLock lock(mu_);
  return file_;
}

model::Labels Scraping::external_labels() const { return file()->global.external_labels; }

}  // namespace binnacle::app
