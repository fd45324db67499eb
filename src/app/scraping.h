// What the server scrapes, and what else a prometheus.yml makes run: discovery of targets, their
// scrapes, the canonical series of engines among them, the receivers of remote_write and the stores
// of remote_read. Engines of this machine are found and scraped without any file. Owned by the
// server, whose thread starts and stops it; commits of a reload and the views (targets(),
// external_labels()) may come from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config_reload.h"
#include "app/engine_watch.h"
#include "app/prometheus_file.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "collect/discovery/discovery_manager.h"
#include "collect/engines/engine_deriver.h"
#include "collect/scrape/scrape_manager.h"
#include "collect/ship/merged_queryable.h"
#include "collect/ship/remote_writers.h"
#include "collect/ship/tee_appendable.h"

namespace binnacle::app {

struct ScrapingParts {
  std::string folder;  // of the queues of receivers
  uint64_t queue_max_bytes = 0;
  collect::scrape::ScrapeOptions scrape;
  EngineWatchOptions engines;
  model::Labels engine_labels;  // of engines on this machine
  collect::ship::TeeAppendable& store;
  collect::ship::MergedQueryable& reads;
  collect::ship::ShipperDeps ship;               // the I/O threads, files, clock, ...
  ThreadPool& pool;                              // for discovery: files and name servers block
  const collect::gpu::GpuBoard* gpus = nullptr;  // null: nothing is known of them
  watch::health::EngineReportSink engine_reports;
};

class Scraping {
 public:
  // Everything in `parts` outlives it.
  explicit Scraping(ScrapingParts parts);
  ~Scraping();  // stop()

  // Reads the file at `path` ("": nothing is scraped) aside. kInvalidArgument with each problem on
  // a line; the commit makes it hold.
  Result<ConfigReloader::Commit> prepare(const std::string& path);

  void start();
  void stop();

  const collect::scrape::TargetStatuses& targets() const { return scrape_; }
  model::Labels external_labels() const EXCLUDES(mu_);

 private:
  Status check(const PrometheusFile& file) const;
  void apply() EXCLUDES(applying_, mu_);  // the file that holds now
  void apply_remote(const PrometheusFile& file) REQUIRES(applying_);
  std::shared_ptr<const PrometheusFile> file() const EXCLUDES(mu_);

  // Fixed after construction.
  const ScrapingParts parts_;
  collect::engines::EngineDerivers derivers_;
  collect::scrape::ScrapeManager scrape_;
  collect::discovery::DiscoveryManager discovery_;

  // Lock themselves.
  collect::ship::RemoteWriters writers_;
  EngineWatch engines_;

  std::atomic<bool> started_ = false;
  Mutex applying_;  // one apply() at a time; taken before mu_
  mutable Mutex mu_;
  std::shared_ptr<const PrometheusFile> file_ GUARDED_BY(mu_);
};

}  // namespace binnacle::app
