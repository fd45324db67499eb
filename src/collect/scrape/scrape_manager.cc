#include "collect/scrape/scrape_manager.h"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace binnacle::collect::scrape {

ScrapeManager::ScrapeManager(ScrapeOptions options, model::Appendable& store, net::IoThreads& io,
                             const Clock& clock, Registry& registry, FetcherFactory fetchers,
                             TargetDerivers* derivers)
    : options_(options),
      io_(io),
      fetchers_(std::move(fetchers)),
      instruments_(registry),
      // Each scrape under way has at most one piece of work, each ending loop too.
      workers_("scrape", options.threads, 2 * options.max_concurrent + 1000),
      context_{.store = store,
               .clock = clock,
               .instruments = instruments_,
               .derivers = derivers,
               .workers = workers_,
               .page_limits = options.page,
               .max_body_bytes = options.max_body_bytes,
               .offset_seed = options.offset_seed} {
  const size_t at_once = std::max<size_t>(1, options.max_concurrent / io.size());
  for (size_t i = 0; i < io.size(); ++i)
    turns_.push_back(std::make_unique<ScrapeTurns>(io.context(i).get_executor(), at_once));
}

ScrapeManager::~ScrapeManager() { stop(); }

void ScrapeManager::start() {
  const MutexLock lock(mu_);
  started_ = true;
  for (auto& [name, pool] : pools_) {
    for (const auto& loop : pool.loops) start_loop(pool, loop);
  }
}

void ScrapeManager::stop() {
  {
    const MutexLock lock(mu_);
    if (stopped_) return;
    stopped_ = true;
    for (auto& [name, pool] : pools_) end_loops(pool, LoopEnd::kShutdown);
  }
  {
    const MutexLock lock(running_mu_);
    while (running_ > 0) changed_.wait(running_mu_);
  }
  workers_.stop();
}

void ScrapeManager::end_loops(Pool& pool, LoopEnd how) {
  if (started_) {
    for (const auto& loop : pool.loops) loop->stop(how);
  }
  for (const auto& loop : pool.ending) loop->stop(how);
}

std::shared_ptr<JobRuntime> ScrapeManager::make_runtime(JobConfig config) const {
  auto runtime = std::make_shared<JobRuntime>();
  runtime->fetcher = fetchers_(config.http);
  runtime->config = std::make_shared<const JobConfig>(std::move(config));
  return runtime;
}

void ScrapeManager::apply(std::vector<JobConfig> jobs) {
  const MutexLock lock(mu_);
  if (stopped_) return;
  std::set<std::string, std::less<>> names;
  for (JobConfig& config : jobs) {
    Pool& pool = pools_[config.job_name];
    names.insert(config.job_name);
    if (pool.job != nullptr && *pool.job->config == config) continue;
    pool.job = make_runtime(std::move(config));
    sync(pool);
  }
  for (auto& [name, pool] : pools_) {
    if (pool.job == nullptr || names.contains(name)) continue;
    pool.groups.clear();
    sync(pool);
    pool.job.reset();
  }
  // Loops that still end are looked at again by the next call.
  std::erase_if(pools_, [](const auto& one) {
    const Pool& pool = one.second;
    return pool.job == nullptr && pool.groups.empty() && pool.ending.empty();
  });
}

void ScrapeManager::set_targets(std::string_view job_name, std::vector<model::TargetGroup> groups) {
  const MutexLock lock(mu_);
  if (stopped_) return;
  auto at = pools_.find(job_name);
  if (at == pools_.end()) at = pools_.emplace(std::string(job_name), Pool{}).first;
  at->second.groups = std::move(groups);
  if (at->second.job != nullptr) sync(at->second);
}

void ScrapeManager::limit_targets(Pool& pool, size_t count) {
  auto limited = std::make_shared<JobRuntime>(*pool.job);
  limited->forced = {};
  const uint64_t limit = limited->config->target_limit;
  if (limit != 0 && count > limit) {
    instruments_.target_limit.add();
    limited->forced =
        fail(Code::kResourceExhausted,
             fmt::format("target_limit exceeded (number of targets: {}, limit: {})", count, limit));
  }
  pool.job = std::move(limited);
}

void ScrapeManager::sync(Pool& pool) {
  TargetSet set = make_targets(*pool.job->config, pool.groups);
  instruments_.unusable_targets.add(static_cast<double>(set.problems.size()));
  for (const std::string& problem : set.problems) {
    log_.warn("target cannot be scraped",
              {{"job", pool.job->config->job_name}, {"error", problem}});
  }
  pool.dropped = std::move(set.dropped);
  pool.dropped_count = set.dropped_count;
  limit_targets(pool, set.active.size());
  std::erase_if(pool.ending, [](const auto& loop) { return loop->ended(); });

  std::unordered_map<uint64_t, std::shared_ptr<ScrapeLoop>> old;
  for (auto& loop : pool.loops) old.emplace(loop->target().identity, std::move(loop));
  pool.loops.clear();
  Loops fresh;
  for (Target& target : set.active) {
    const auto at = old.find(target.identity);
    if (at == old.end()) {
      fresh.push_back(make_loop(pool, std::move(target)));
      pool.loops.push_back(fresh.back());
      continue;
    }
    at->second->set_job(pool.job);
    at->second->set_discovered(std::move(target.discovered));
    pool.loops.push_back(std::move(at->second));
    old.erase(at);
  }
  Loops gone;
  for (auto& [identity, loop] : old) gone.push_back(std::move(loop));
  retire(pool, gone);
  for (const auto& loop : fresh) start_loop(pool, loop);
}

void ScrapeManager::retire(Pool& pool, const Loops& old) {
  if (!started_) return;
  for (const auto& loop : old) {
    loop->stop(LoopEnd::kTargetGone);
    pool.ending.push_back(loop);
  }
}

// Loops whose series are the same live on the same thread, so that one can hand over to the other.
std::shared_ptr<ScrapeLoop> ScrapeManager::make_loop(Pool& pool, Target target) {
  const size_t thread = target.labels.hash() % io_.size();
  return std::make_shared<ScrapeLoop>(std::move(target), pool.job, context_,
                                      io_.context(thread).get_executor(), *turns_[thread]);
}

void ScrapeManager::start_loop(Pool& pool, const std::shared_ptr<ScrapeLoop>& loop) {
  if (!started_) return;
  // Each ending loop is taken over once: targets of the same labels do not wait for the same one.
  const auto ending = std::ranges::find_if(pool.ending, [&loop](const auto& candidate) {
    return !candidate->ended() && candidate->target().labels == loop->target().labels;
  });
  std::shared_ptr<ScrapeLoop> predecessor;
  if (ending != pool.ending.end()) {
    predecessor = std::move(*ending);
    pool.ending.erase(ending);
    predecessor->stop(LoopEnd::kHandOver);
  }
  {
    const MutexLock lock(running_mu_);
    ++running_;
  }
  loop->start(std::move(predecessor), [this] { loop_ended(); });
}

void ScrapeManager::loop_ended() {
  const MutexLock lock(running_mu_);
  --running_;
  changed_.notify_all();
}

std::vector<ActiveTarget> ScrapeManager::active() const {
  const MutexLock lock(mu_);
  std::vector<ActiveTarget> out;
  for (const auto& [name, pool] : pools_) {
    for (const auto& loop : pool.loops) out.push_back(loop->status());
  }
  return out;
}

std::vector<DroppedTarget> ScrapeManager::dropped() const {
  const MutexLock lock(mu_);
  std::vector<DroppedTarget> out;
  for (const auto& [name, pool] : pools_) {
    for (const model::Labels& discovered : pool.dropped) out.push_back({name, discovered});
  }
  return out;
}

std::map<std::string, uint64_t> ScrapeManager::dropped_counts() const {
  const MutexLock lock(mu_);
  std::map<std::string, uint64_t> out;
  for (const auto& [name, pool] : pools_) {
    if (pool.job != nullptr) out[name] = pool.dropped_count;
  }
  return out;
}

std::vector<std::string> ScrapeManager::pools() const {
  const MutexLock lock(mu_);
  std::vector<std::string> out;
  for (const auto& [name, pool] : pools_) {
    if (pool.job != nullptr) out.push_back(name);
  }
  return out;
}

std::vector<TargetMetadata> ScrapeManager::metadata() const {
  const MutexLock lock(mu_);
  std::vector<TargetMetadata> out;
  for (const auto& [name, pool] : pools_) {
    for (const auto& loop : pool.loops) out.push_back({loop->target().labels, loop->metadata()});
  }
  return out;
}

}  // namespace binnacle::collect::scrape
