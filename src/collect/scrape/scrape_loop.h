// One target's life: waits for its time, fetches the page, has it stored by a worker, and notes how
// it went. Lives on one I/O thread as a coroutine that holds the object; start(), stop(), set_job()
// and status() may be called from any thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "collect/scrape/fetcher.h"
#include "collect/scrape/job_config.h"
#include "collect/scrape/page_appender.h"
#include "collect/scrape/scrape_schedule.h"
#include "collect/scrape/scrape_turns.h"
#include "collect/scrape/target_status.h"
#include "net/wakeup.h"

namespace binnacle::collect::scrape {

// A job as its loops see it; replaced whole by a reload.
struct JobRuntime {
  std::shared_ptr<const JobConfig> config;
  std::shared_ptr<Fetcher> fetcher;
  Status forced;  // an error: nothing is fetched and every scrape fails so
};

// What all loops share; outlives them.
struct LoopContext {
  model::Appendable& store;
  const Clock& clock;
  ScrapeInstruments& instruments;
  TargetDerivers* derivers = nullptr;
  ThreadPool& workers;
  PageLimits page_limits = {};
  size_t max_body_bytes = 0;
  uint64_t offset_seed = 0;
};

enum class LoopEnd : uint8_t {
  kTargetGone,  // markers for its series, after some grace
  kHandOver,    // another loop with the same labels takes its series over
  kShutdown,    // at once, and without markers
};

class ScrapeLoop : public std::enable_shared_from_this<ScrapeLoop> {
 public:
  // `turns` belongs to the executor and outlives the loop. `ended` is called once, on the executor.
  ScrapeLoop(Target target, std::shared_ptr<const JobRuntime> job, LoopContext& context,
             boost::asio::any_io_executor executor, ScrapeTurns& turns);

  // `predecessor`, on the same executor: its series are taken over when it has ended. May be null.
  void start(std::shared_ptr<ScrapeLoop> predecessor, std::function<void()> ended);
  // A later call may only be more urgent.
  void stop(LoopEnd how);
  void set_job(std::shared_ptr<const JobRuntime> job) EXCLUDES(mu_);
  // What discovery said last may differ while the target is the same.
  void set_discovered(model::Labels discovered) EXCLUDES(mu_);

  const Target& target() const { return target_; }
  bool ended() const { return ended_.load(); }
  ActiveTarget status() const EXCLUDES(mu_);
  FamilyTable::List metadata() const { return pages_.families().all(); }

 private:
  boost::asio::awaitable<void> run(std::shared_ptr<ScrapeLoop> predecessor);
  boost::asio::awaitable<void> take_over(ScrapeLoop& predecessor);
  boost::asio::awaitable<bool> pause(int64_t ms);
  boost::asio::awaitable<void> scrape(int64_t time_ms);
  boost::asio::awaitable<void> fetch(const JobRuntime& job, FetchedPage& page,
                                     net::Response& response);
  boost::asio::awaitable<Result<net::Response>> send(const JobRuntime& job);
  boost::asio::awaitable<Status> on_worker(std::function<void()> work);
  boost::asio::awaitable<void> end();
  void note(int64_t time_ms, const PageResult& result) EXCLUDES(mu_);
  std::shared_ptr<const JobRuntime> job() const EXCLUDES(mu_);

  // Fixed after construction
  const Target target_;
  LoopContext& context_;
  const boost::asio::any_io_executor executor_;
  ScrapeTurns& turns_;

  // Executor only, but for pages_: between the executor and one worker by turns
  ScrapeSchedule schedule_;
  PageAppender pages_;
  net::Wakeup wakeup_;
  boost::asio::cancellation_signal cancel_;
  bool stopping_ = false;
  LoopEnd how_ = LoopEnd::kTargetGone;
  bool scraped_ = false;  // by this loop or by those that it took over
  net::Wakeup* successor_ = nullptr;
  std::atomic<bool> ended_ = false;

  mutable Mutex mu_;
  std::shared_ptr<const JobRuntime> job_ GUARDED_BY(mu_);
  ActiveTarget status_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::scrape
