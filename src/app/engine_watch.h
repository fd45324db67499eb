// The engines that run on this machine: found by their processes and ports every now and then, then
// scraped (as one job of the ScrapeManager) or, where they export no metrics, polled; and judged by
// their progress. Server and agent each have one. Owner's thread only; what blocks runs on a thread
// of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/repeating_thread.h"
#include "collect/engines/engine_pollers.h"
#include "collect/engines/engine_roster.h"
#include "collect/engines/local_engines.h"
#include "collect/scrape/scrape_manager.h"
#include "model/appender.h"
#include "model/labels.h"
#include "net/client.h"
#include "net/io_threads.h"
#include "watch/health/engines/engine_watchers.h"

namespace binnacle::app {

struct EngineWatchOptions {
  bool enabled = true;
  int64_t search_interval_ms = 30'000;
  int64_t scrape_interval_ms = 10'000;
  int64_t keep_gone_ms = 600'000;  // an engine whose process has ended is told as down so long
  std::string proc_path;           // as of collect.host
  bool judged = true;
  watch::health::EngineWatcherOptions judging;
};

// All outlive it; `io` is started before it.
struct EngineWatchParts {
  collect::scrape::ScrapeManager& scrape;
  model::Appendable& store;
  net::IoThreads& io;
  ThreadPool& pool;
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
  const collect::gpu::GpuBoard* gpus = nullptr;  // null: nothing is known of them
  watch::health::EngineReportSink report;        // on an I/O thread
};

// How engines that were found are scraped: they are asked where they answered as engines do, so
// that a page without a Content-Type is read all the same.
collect::scrape::JobConfig engine_job(const EngineWatchOptions& options);

class EngineWatch {
 public:
  static constexpr std::string_view kJobName = "engines";

  // `common` labels go onto every target.
  EngineWatch(EngineWatchOptions options, model::Labels common, EngineWatchParts parts);
  ~EngineWatch();  // stop()
  EngineWatch(const EngineWatch&) = delete;
  EngineWatch& operator=(const EngineWatch&) = delete;

  // The job that the owner gives the ScrapeManager beside its others.
  collect::scrape::JobConfig job() const { return engine_job(options_); }

  // Called with what each search found, on the search's thread. Before start().
  using OnFound = std::function<void(const std::vector<collect::engines::LocalEngine>&)>;
  void on_found(OnFound on_found) { on_found_ = std::move(on_found); }

  void start();
  void stop();  // waits for a search that is under way, a second or so

 private:
  void search();
  void tell(const std::vector<collect::engines::LocalEngine>& found);

  // Fixed after construction.
  const EngineWatchOptions options_;
  const model::Labels common_;
  const EngineWatchParts parts_;
  const Log log_{"engines"};
  Gauge& found_gauge_;
  net::Client client_;
  collect::engines::EnginePollers pollers_;

  OnFound on_found_;  // fixed by start()

  // The thread's own.
  std::vector<std::string> told_;  // what the log knows
  collect::engines::EngineRoster roster_;
  watch::health::EngineWatchers watchers_;

  RepeatingThread thread_{"engine-search"};  // last: it uses all of the above
};

}  // namespace binnacle::app
