#include "app/engine_watch.h"

#include <algorithm>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "collect/host/linux/local_processes.h"

namespace binnacle::app {

using collect::engines::LocalEngine;

collect::scrape::JobConfig engine_job(const EngineWatchOptions& options) {
  collect::scrape::JobConfig job;
  job.job_name = EngineWatch::kJobName;
  job.interval_ms = options.scrape_interval_ms;
  job.timeout_ms = options.scrape_interval_ms;
  job.fallback_protocol = collect::scrape::ScrapeProtocol::kText004;
  return job;
}

EngineWatch::EngineWatch(EngineWatchOptions options, model::Labels common, EngineWatchParts parts)
    : options_(std::move(options)),
      common_(std::move(common)),
      parts_(std::move(parts)),
      found_gauge_(parts_.registry.gauge("binnacle_engine_local_found",
                                         "Engines that the last search found on this machine.")),
      client_({}, parts_.files),
      pollers_(parts_.io, parts_.files, parts_.clock, parts_.store, parts_.registry),
      roster_(options_.keep_gone_ms),
      watchers_(options_.judging, {.io = parts_.io,
                                   .pool = parts_.pool,
                                   .files = parts_.files,
                                   .clock = parts_.clock,
                                   .registry = parts_.registry,
                                   .gpus = parts_.gpus,
                                   .report = parts_.report}) {}

EngineWatch::~EngineWatch() { stop(); }

void EngineWatch::start() {
  if (!options_.enabled || thread_.running()) return;
  pollers_.start();
  thread_.start(options_.search_interval_ms, [this] { search(); });
}

void EngineWatch::stop() {
  if (!thread_.running()) return;
  thread_.stop();
  watchers_.stop();
  pollers_.stop();
}

void EngineWatch::search() {
  collect::host::LocalProcesses processes(parts_.files, options_.proc_path);
  auto listening = processes.listening();
  if (!listening) {
    log_.warn("no search for engines", {{"error", listening.error().message}});
    return;
  }
  auto answer = boost::asio::co_spawn(parts_.io.context(0),
                                      collect::engines::find_local_engines(*listening, client_, {}),
                                      boost::asio::use_future);
  std::vector<LocalEngine> found = answer.get();
  found_gauge_.set(static_cast<double>(found.size()));
  const std::vector<LocalEngine>& engines =
      roster_.update(parts_.clock.monotonic_ms(), std::move(found), *listening);
  tell(engines);
  if (on_found_) on_found_(engines);
  parts_.scrape.set_targets(kJobName, {collect::engines::scrape_targets(engines, common_)});
  if (const auto taken = pollers_.set_targets(collect::engines::poll_targets(engines, common_));
      !taken) {
    log_.warn("engines are not polled", {{"error", taken.error().message}});
  }
  if (options_.judged) watchers_.set_engines(engines);
}

// What came and what went; nothing when all is as before.
void EngineWatch::tell(const std::vector<LocalEngine>& found) {
  std::vector<std::string> now;
  for (const LocalEngine& engine : found) now.push_back(collect::engines::described(engine));
  for (const std::string& engine : now) {
    if (std::ranges::find(told_, engine) == told_.end())
      log_.info("found an engine", {{"engine", engine}});
  }
  for (const std::string& engine : told_) {
    if (std::ranges::find(now, engine) == now.end())
      log_.info("an engine is gone", {{"engine", engine}});
  }
  told_ = std::move(now);
}

}  // namespace binnacle::app
