// Polls a changing set of engines, each at its own interval. A thread of its own keeps the time and
// appends; the questions run on the I/O threads, so that an engine that hangs delays no other. An
// instance whose last question is still open is not asked again. start() and stop() belong to the
// owner's thread; set_targets() may come from any. Every reference outlives it, the IoThreads too.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "collect/engines/engine_poller.h"
#include "net/io_threads.h"

namespace binnacle::collect::engines {

class EnginePollers {
 public:
  EnginePollers(net::IoThreads& io, FileSystem& files, const Clock& clock, model::Appendable& store,
                Registry& registry);
  ~EnginePollers();  // stops
  EnginePollers(const EnginePollers&) = delete;
  EnginePollers& operator=(const EnginePollers&) = delete;

  // From now on these. One that was there already, the same in every point, goes on; one that is
  // gone ends with stale markers. The first that check_poll_target() refuses refuses all.
  Status set_targets(std::vector<PollTarget> targets) EXCLUDES(mu_);

  void start();
  // Waits for the questions that are open, at most as long as their time-outs.
  void stop() EXCLUDES(mu_);

 private:
  struct Instance;
  struct Answered;
  void run() EXCLUDES(mu_);
  void ask_due(int64_t now_ns) EXCLUDES(mu_);
  void ask(const std::shared_ptr<Instance>& instance);
  void append_answers() EXCLUDES(mu_);
  void end_removed() EXCLUDES(mu_);
  void append(Instance& instance, const PollResult& result);
  int64_t next_due_ns() EXCLUDES(mu_);

  // Fixed after construction.
  net::IoThreads& io_;
  FileSystem& files_;
  const Clock& clock_;
  model::Appendable& store_;
  Registry& registry_;
  Counter& refused_;
  Counter& failed_;

  std::thread thread_;  // owner's thread only

  Mutex mu_;
  CondVar wake_;
  // Shared with the question that is open, which may outlast its place in the set.
  std::vector<std::shared_ptr<Instance>> instances_ GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Instance>> removed_ GUARDED_BY(mu_);
  std::deque<Answered> answered_ GUARDED_BY(mu_);
  size_t open_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::collect::engines
