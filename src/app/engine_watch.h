// The engines that run on this machine: found by their processes and ports every now and then, then
// scraped (as one job of the ScrapeManager) or, where they export no metrics, polled. Server and
// agent each have one. Owner's thread only; what blocks runs on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "collect/engines/engine_pollers.h"
#include "collect/engines/local_engines.h"
#include "collect/scrape/scrape_manager.h"
#include "model/appender.h"
#include "model/labels.h"
#include "net/client.h"
#include "net/io_threads.h"

namespace binnacle::app {

struct EngineWatchOptions {
  bool enabled = true;
  int64_t search_interval_ms = 30'000;
  int64_t scrape_interval_ms = 10'000;
  std::string proc_path;  // as of collect.host
};

class EngineWatch {
 public:
  static constexpr std::string_view kJobName = "engines";

  // `common` labels go onto every target. All references outlive it; `io` is started before it.
  EngineWatch(EngineWatchOptions options, model::Labels common,
              collect::scrape::ScrapeManager& scrape, model::Appendable& store, net::IoThreads& io,
              FileSystem& files, const Clock& clock, Registry& registry);
  ~EngineWatch();  // stop()
  EngineWatch(const EngineWatch&) = delete;
  EngineWatch& operator=(const EngineWatch&) = delete;

  // The job that the owner gives the ScrapeManager beside its others.
  collect::scrape::JobConfig job() const;

  // Called with what each search found, on the search's thread. Before start().
  using OnFound = std::function<void(const std::vector<collect::engines::LocalEngine>&)>;
  void on_found(OnFound on_found) { on_found_ = std::move(on_found); }

  void start();
  void stop() EXCLUDES(mu_);  // waits for a search that is under way, a second or so

 private:
  void run() EXCLUDES(mu_);
  void search();
  void tell(const std::vector<collect::engines::LocalEngine>& found);
  bool wait(int64_t ms) EXCLUDES(mu_);  // false: stopping

  // Fixed after construction.
  const EngineWatchOptions options_;
  const model::Labels common_;
  collect::scrape::ScrapeManager& scrape_;
  net::IoThreads& io_;
  FileSystem& files_;
  const Clock& clock_;
  const Log log_{"engines"};
  Gauge& found_gauge_;
  net::Client client_;
  collect::engines::EnginePollers pollers_;

  std::thread thread_;  // of the owner's thread
  OnFound on_found_;    // fixed by start()

  // The thread's own.
  std::vector<std::string> told_;  // what the log knows

  Mutex mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::app
