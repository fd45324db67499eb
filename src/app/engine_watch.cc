#include "app/engine_watch.h"

#include <algorithm>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "collect/host/linux/local_processes.h"

namespace binnacle::app {

using collect::engines::LocalEngine;

EngineWatch::EngineWatch(EngineWatchOptions options, model::Labels common,
                         collect::scrape::ScrapeManager& scrape, model::Appendable& store,
                         net::IoThreads& io, FileSystem& files, const Clock& clock,
                         Registry& registry)
    : options_(std::move(options)),
      common_(std::move(common)),
      scrape_(scrape),
      io_(io),
      files_(files),
      clock_(clock),
      found_gauge_(registry.gauge("binnacle_engine_local_found",
                                  "Engines that the last search found on this machine.")),
      client_({}, files),
      pollers_(io, files, clock, store, registry) {}

EngineWatch::~EngineWatch() { stop(); }

collect::scrape::JobConfig EngineWatch::job() const {
  collect::scrape::JobConfig job;
  job.job_name = kJobName;
  job.interval_ms = options_.scrape_interval_ms;
  job.timeout_ms = options_.scrape_interval_ms;
  return job;
}

void EngineWatch::start() {
  if (!options_.enabled || thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = false;
  }
  pollers_.start();
  thread_ = std::thread([this] { run(); });
}

void EngineWatch::stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  pollers_.stop();
}

void EngineWatch::run() {
  do {
    search();
  } while (wait(options_.search_interval_ms));
}

bool EngineWatch::wait(int64_t ms) {
  const int64_t until_ms = clock_.monotonic_ms() + ms;
  MutexLock lock(mu_);
  while (!stopping_) {
    const int64_t left_ms = until_ms - clock_.monotonic_ms();
    if (left_ms <= 0) return true;
    wake_.wait_for_ms(mu_, left_ms);
  }
  return false;
}

void EngineWatch::search() {
  collect::host::LocalProcesses processes(files_, options_.proc_path);
  auto listening = processes.listening();
  if (!listening) {
    log_.warn("no search for engines", {{"error", listening.error().message}});
    return;
  }
  auto answer = boost::asio::co_spawn(
      io_.context(0), collect::engines::find_local_engines(std::move(*listening), client_, {}),
      boost::asio::use_future);
  const std::vector<LocalEngine> found = answer.get();
  found_gauge_.set(static_cast<double>(found.size()));
  tell(found);
  if (on_found_) on_found_(found);
  scrape_.set_targets(kJobName, {collect::engines::scrape_targets(found, common_)});
  if (const auto taken = pollers_.set_targets(collect::engines::poll_targets(found, common_));
      !taken) {
    log_.warn("engines are not polled", {{"error", taken.error().message}});
  }
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
