#include "engine/pipeline/stage.h"

#include <utility>

namespace binnacle::engine {
namespace {

constexpr int64_t kRefreshMs = 100;  // what view() shows may be so old
constexpr double kNsPerSecond = 1e9;

double seconds(int64_t ns) { return static_cast<double>(ns) / kNsPerSecond; }

// Asked for may be all of its name, or the part before the number type: "a" is met by "a/bf16".
bool is_kernel(const std::string& kernel, const std::string& asked) {
  return asked.empty() || kernel == asked || kernel.starts_with(asked + "/");
}

uint64_t rows_of(const Step& step) {
  uint64_t rows = 0;
  for (const Slice& slice : step.slices) rows += static_cast<uint64_t>(slice.rows);
  return rows;
}

}  // namespace

Stage::Stage(StageOptions options, LayerLoader& loader, const Clock& clock,
             StageInstruments& instruments)
    : options_(options), loader_(loader), clock_(clock), instruments_(instruments) {
  thread_ = std::thread([this] { work(); });
}

Stage::~Stage() { stop(); }

void Stage::post(Job job) {
  {
    const MutexLock lock(mu_);
    if (!stopping_) {
      if (auto* step = std::get_if<StepJob>(&job)) count(*step);
      jobs_.push_back(std::move(job));
      wake_.notify_one();
      return;
    }
  }
  cancel(job);
}

void Stage::count(StepJob& job) {
  if (++waiting_steps_ <= options_.max_waiting_steps) return;
  job.step = {};
  job.refused =
      Error{Code::kResourceExhausted, "step: " + std::to_string(options_.max_waiting_steps) +
                                          " wait already; send fewer at a time"};
}

void Stage::cancel(Job& job) {
  const Error stopped{Code::kCancelled, "the worker stops"};
  if (auto* step = std::get_if<StepJob>(&job)) step->done(Unexpected(stopped));
  if (auto* load = std::get_if<LoadJob>(&job)) load->done(Unexpected(stopped));
  if (auto* unload = std::get_if<UnloadJob>(&job)) unload->done(Unexpected(stopped));
  if (auto* call = std::get_if<CallJob>(&job)) call->work(Unexpected(stopped));
}

void Stage::call(std::function<void(const Status&)> work) { post(CallJob{std::move(work)}); }

void Stage::load(ClientId client, LoadOrder order, Worker::Done<void> done) {
  {
    // From now on, not from when its turn comes: what others still have in the queue is not
    // computed for nothing.
    const MutexLock lock(mu_);
    const Owner owner{client, order.epoch};
    if (!newest_ || newest_->client != client || newest_->epoch <= order.epoch) newest_ = owner;
  }
  post(LoadJob{client, std::move(order), std::move(done)});
}

void Stage::unload(ClientId client, Worker::Done<void> done) {
  post(UnloadJob{client, std::move(done)});
}

void Stage::run(Call call, Step step, Worker::Done<HopResult> done) {
  post(StepJob{std::move(call), std::move(step), std::move(done), clock_.monotonic_ns(), {}});
}

void Stage::release(ClientId client, uint64_t epoch, std::vector<SequenceId> sequences) {
  post(ReleaseJob{client, epoch, std::move(sequences)});
}

void Stage::stop() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::deque<Job> left;
  {
    const MutexLock lock(mu_);
    left = std::exchange(jobs_, {});
    waiting_steps_ = 0;
  }
  for (Job& job : left) cancel(job);
}

StageView Stage::view() const {
  const MutexLock lock(mu_);
  StageView view = view_;
  view.waiting = waiting_steps_;
  if (computing_since_ns_ != 0)
    view.computing_seconds = seconds(clock_.monotonic_ns() - computing_since_ns_);
  return view;
}

void Stage::work() {
  while (auto job = next_job()) {
    std::visit([this](auto& known) { handle(known); }, *job);
  }
}

std::optional<Stage::Job> Stage::next_job() {
  while (true) {
    if (stale_ && clock_.monotonic_ns() - refreshed_ns_ >= kRefreshMs * 1'000'000) refresh();
    const MutexLock lock(mu_);
    if (stopping_) return std::nullopt;
    if (!jobs_.empty()) {
      std::optional<Job> job(std::move(jobs_.front()));
      jobs_.pop_front();
      if (std::holds_alternative<StepJob>(*job)) --waiting_steps_;
      return job;
    }
    if (stale_) {
      wake_.wait_for_ms(mu_, kRefreshMs);
    } else {
      wake_.wait(mu_);
    }
  }
}

Status Stage::check_turn(const StepJob& job, int64_t now_ns) {
  if (job.refused) return fail(*job.refused);
  if (job.call.gone != nullptr && *job.call.gone) return fail(Code::kCancelled, "nobody waits");
  std::optional<Owner> newest;
  {
    const MutexLock lock(mu_);
    newest = newest_;
  }
  const auto refuse = [](std::string why) {
    return fail(Code::kFailedPrecondition, "step: " + std::move(why));
  };
  if (newest && newest->client != job.call.client)
    return refuse("another orchestrator has loaded layers here since; load again to take over");
  if (!newest || forward_ == nullptr) return refuse("no layers are loaded");
  if (job.call.epoch != newest->epoch || held_by_ != newest)
    return refuse("epoch " + std::to_string(job.call.epoch) + " is not that of the layers here (" +
                  std::to_string(newest->epoch) + ")");
  if (now_ns > job.call.deadline_ns)
    return fail(Code::kDeadlineExceeded, "step: its time was over before its turn came");
  return {};
}

void Stage::handle(StepJob& job) {
  const int64_t begin_ns = clock_.monotonic_ns();
  if (const Status turn = check_turn(job, begin_ns); !turn) {
    instruments_.failed(turn.error().code);
    return job.done(Unexpected(turn.error()));
  }
  {
    const MutexLock lock(mu_);
    computing_since_ns_ = begin_ns;
  }
  auto result = forward_->run(job.step);
  const int64_t end_ns = clock_.monotonic_ns();
  HopResult hop{.step = {},
                .queue_seconds = seconds(begin_ns - job.came_ns),
                .compute_seconds = seconds(end_ns - begin_ns)};
  const uint64_t rows = rows_of(job.step);
  stale_ = true;
  {
    const MutexLock lock(mu_);
    computing_since_ns_ = 0;
    ++view_.steps;
    view_.rows += rows;
    view_.queue_seconds_total += hop.queue_seconds;
    view_.compute_seconds_total += hop.compute_seconds;
  }
  instruments_.steps.add();
  instruments_.rows.add(static_cast<double>(rows));
  instruments_.queue_seconds.observe(hop.queue_seconds);
  instruments_.compute_seconds.observe(hop.compute_seconds);
  instruments_.busy_seconds.add(hop.compute_seconds);
  if (!result) {
    instruments_.failed(result.error().code);
    return job.done(Unexpected(std::move(result).error()));
  }
  hop.step = *std::move(result);
  job.done(std::move(hop));
}

Status Stage::take_load(const LoadJob& job) {
  const MutexLock lock(mu_);
  if (newest_ != Owner{job.client, job.order.epoch}) {
    return fail(Code::kFailedPrecondition, newest_->client == job.client
                                               ? "load: epoch " + std::to_string(job.order.epoch) +
                                                     " is older than the newest (" +
                                                     std::to_string(newest_->epoch) + ")"
                                               : "load: another orchestrator has sent a newer one");
  }
  view_.loading = job.order.model;
  return {};
}

void Stage::handle(LoadJob& job) {
  Status loaded = take_load(job);
  if (loaded) {
    instruments_.loads.add();
    loaded = replace(job);
    if (!loaded) instruments_.failed_loads.add();
    const MutexLock lock(mu_);
    view_.loading.clear();
    view_.last_failure = loaded ? "" : loaded.error().message;
  }
  job.done(std::move(loaded));
}

Status Stage::replace(const LoadJob& job) {
  const int64_t begin_ns = clock_.monotonic_ns();
  TRY(loader_.prepare(job.order, stopping_));
  drop();  // before the new ones take memory
  TRY_ASSIGN(auto forward, loader_.load(job.order));
  if (!is_kernel(forward->kernel(), job.order.kernel)) {
    return fail(Code::kFailedPrecondition,
                "load: this worker computes with " +
                    (forward->kernel().empty() ? "a kernel that is not exact" : forward->kernel()) +
                    ", asked for was " + job.order.kernel +
                    "; layers of one model need one kernel");
  }
  forward_ = std::move(forward);
  expert_use_ = {};
  held_by_ = Owner{job.client, job.order.epoch};
  hop_type_ = job.order.hop_type;
  {
    const MutexLock lock(mu_);
    view_.order = job.order;
    view_.config = forward_->config();
    view_.kernel = forward_->kernel();
    view_.load_seconds = seconds(clock_.monotonic_ns() - begin_ns);
  }
  refresh();
  return {};
}

void Stage::handle(UnloadJob& job) {
  {
    const MutexLock lock(mu_);
    if (newest_ && newest_->client != job.client) {
      job.done(
          fail(Code::kFailedPrecondition, "unload: the layers here are another orchestrator's"));
      return;
    }
    newest_.reset();
  }
  drop();
  job.done({});
}

void Stage::handle(ReleaseJob& job) {
  if (forward_ == nullptr || held_by_ != Owner{job.client, job.epoch}) return;
  for (const SequenceId sequence : job.sequences) forward_->release(sequence);
  stale_ = true;
}

void Stage::handle(CallJob& job) { job.work({}); }

void Stage::drop() {
  forward_.reset();
  held_by_.reset();
  stale_ = false;
  const MutexLock lock(mu_);
  view_.order.reset();
  view_.config = {};
  view_.kernel.clear();
  view_.kv = {};
  view_.stats = {};
}

void Stage::refresh() {
  stale_ = false;
  refreshed_ns_ = clock_.monotonic_ns();
  if (forward_ == nullptr) return;
  KvUsage kv = forward_->kv_usage();
  ForwardStats stats = forward_->stats();
  if (const ModelConfig& config = forward_->config(); config.experts > 0) {
    expert_use_.look(stats, config.experts_per_token);
    instruments_.experts(expert_use_);
  }
  const MutexLock lock(mu_);
  view_.kv = kv;
  view_.stats = std::move(stats);
}

}  // namespace binnacle::engine
