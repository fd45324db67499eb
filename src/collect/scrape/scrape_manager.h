// All scraping: the jobs, their targets, the loops of these. A job's configuration and its list of
// targets come apart and in any order; a target that is in the new list as it was in the old keeps
// its loop, its connection and what is known of its series. Any thread; start() and stop() once,
// stop() before the I/O threads stop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "collect/scrape/fetcher.h"
#include "collect/scrape/job_config.h"
#include "collect/scrape/scrape_loop.h"
#include "collect/scrape/target_deriver.h"
#include "collect/scrape/target_status.h"
#include "model/appender.h"
#include "model/target.h"
#include "net/io_threads.h"

namespace binnacle::collect::scrape {

struct ScrapeOptions {
  size_t threads = 2;                 // that parse and store pages
  size_t max_concurrent = 1000;       // scrapes under way; others wait for their turn
  size_t max_body_bytes = 256 << 20;  // of a page, unpacked, where the job says nothing stricter
  PageLimits page;
  uint64_t offset_seed = 0;  // servers with another one scrape at other times
};

class ScrapeManager final : public TargetStatuses {
 public:
  // All outlive the manager; `derivers` may be null.
  ScrapeManager(ScrapeOptions options, model::Appendable& store, net::IoThreads& io,
                const Clock& clock, Registry& registry, FetcherFactory fetchers,
                TargetDerivers* derivers);
  ~ScrapeManager() override;  // stop()

  // Before it nothing is scraped, but targets are taken.
  void start() EXCLUDES(mu_);
  // Calls off what is under way and waits for its end. No markers are written: another start goes
  // on where this ends.
  void stop() EXCLUDES(mu_);

  // The whole list of jobs; names are unique. Jobs that are not in it any more end, those that are
  // as they were go on untouched.
  void apply(std::vector<JobConfig> jobs) EXCLUDES(mu_);
  // All groups of a job. For a job that apply() has not brought yet they are kept until it does.
  void set_targets(std::string_view job_name, std::vector<model::TargetGroup> groups) EXCLUDES(mu_);

  std::vector<ActiveTarget> active() const override EXCLUDES(mu_);
  std::vector<DroppedTarget> dropped() const override EXCLUDES(mu_);
  std::map<std::string, uint64_t> dropped_counts() const override EXCLUDES(mu_);
  std::vector<std::string> pools() const override EXCLUDES(mu_);
  std::vector<TargetMetadata> metadata() const override EXCLUDES(mu_);

 private:
  using Loops = std::vector<std::shared_ptr<ScrapeLoop>>;
  struct Pool {
    std::shared_ptr<const JobRuntime> job;  // null: not applied yet
    std::vector<model::TargetGroup> groups;
    Loops loops;  // in the order of discovery
    Loops ending;
    std::vector<model::Labels> dropped;
    uint64_t dropped_count = 0;
  };

  std::shared_ptr<JobRuntime> make_runtime(JobConfig config) const;
  void sync(Pool& pool) REQUIRES(mu_);
  void limit_targets(Pool& pool, size_t count) REQUIRES(mu_);
  void retire(Pool& pool, const Loops& old) REQUIRES(mu_);
  void start_loop(Pool& pool, const std::shared_ptr<ScrapeLoop>& loop) REQUIRES(mu_);
  std::shared_ptr<ScrapeLoop> make_loop(Pool& pool, Target target) REQUIRES(mu_);
  void end_loops(Pool& pool, LoopEnd how) REQUIRES(mu_);
  void loop_ended() EXCLUDES(running_mu_);

  // Fixed after construction
  const ScrapeOptions options_;
  net::IoThreads& io_;
  const FetcherFactory fetchers_;
  const Log log_{"scrape"};
  ScrapeInstruments instruments_;
  ThreadPool workers_;  // locks itself
  LoopContext context_;
  std::vector<std::unique_ptr<ScrapeTurns>> turns_;  // one for each I/O thread, and on it

  mutable Mutex mu_;
  bool started_ GUARDED_BY(mu_) = false;
  bool stopped_ GUARDED_BY(mu_) = false;
  std::map<std::string, Pool, std::less<>> pools_ GUARDED_BY(mu_);

  Mutex running_mu_;
  CondVar changed_;
  size_t running_ GUARDED_BY(running_mu_) = 0;  // loops that have not ended
};

}  // namespace binnacle::collect::scrape
