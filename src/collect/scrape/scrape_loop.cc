#include "collect/scrape/scrape_loop.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace binnacle::collect::scrape {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

net::ClientRequest request_of(const Target& target, const JobConfig& job, size_t max_body_bytes) {
  net::ClientRequest request;
  request.url = target.url;
  request.headers.add("Accept", accept_header(job.protocols));
  if (!job.enable_compression) request.headers.add("Accept-Encoding", "identity");
  request.headers.add("X-Prometheus-Scrape-Timeout-Seconds",
                      fmt::format("{}", static_cast<double>(target.timeout_ms) / 1000));
  request.timeout = milliseconds(target.timeout_ms);
  request.max_body_bytes = max_body_bytes;
  if (job.body_size_limit != 0)
    request.max_body_bytes = std::min<size_t>(max_body_bytes, job.body_size_limit);
  return request;
}

ScrapeOutcome outcome_of(Code code) {
  switch (code) {
    case Code::kDeadlineExceeded:
      return ScrapeOutcome::kTimeout;
    case Code::kResourceExhausted:
      return ScrapeOutcome::kLimit;
    default:
      return ScrapeOutcome::kUnreachable;
  }
}

bool is_html(std::string_view body) {
  const size_t at = body.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && body[at] == '<';
}

// Whether the answer is a page of metrics at all.
Status check_answer(const JobConfig& job, const net::Response& response, FetchedPage& page) {
  if (response.status != 200) {
    page.outcome = ScrapeOutcome::kStatus;
    return fail(Code::kUnavailable,
                fmt::format("server returned HTTP status {} {}", response.status,
                            net::status_reason(response.status)));
  }
  page.outcome = ScrapeOutcome::kBody;
  TRY_ASSIGN(page.format,
             answer_format(response.headers.get("Content-Type"), job.fallback_protocol));
  if (is_html(response.body)) {
    return fail(Code::kInvalidArgument,
                "the answer is HTML or XML: is this the metrics page? (metrics_path)");
  }
  page.outcome = ScrapeOutcome::kGood;
  page.body = response.body;
  return {};
}

}  // namespace

ScrapeLoop::ScrapeLoop(Target target, std::shared_ptr<const JobRuntime> job, LoopContext& context,
                       asio::any_io_executor executor, ScrapeTurns& turns)
    : target_(std::move(target)),
      context_(context),
      executor_(std::move(executor)),
      turns_(turns),
      schedule_(target_.interval_ms, target_.identity ^ context.offset_seed, context.clock),
      pages_(target_, context.page_limits, context.store, context.clock, context.instruments,
             context.derivers == nullptr
                 ? nullptr
                 : context.derivers->for_target(target_.labels, target_.discovered)),
      wakeup_(executor_),
      job_(std::move(job)) {
  status_.pool = job_->config->job_name;
  status_.discovered = target_.discovered;
  status_.labels = target_.labels;
  status_.url = target_.url;
  status_.interval_ms = target_.interval_ms;
  status_.timeout_ms = target_.timeout_ms;
}

void ScrapeLoop::start(std::shared_ptr<ScrapeLoop> predecessor, std::function<void()> ended) {
  context_.instruments.targets(TargetHealth::kUnknown).add(1);
  asio::co_spawn(executor_, run(std::move(predecessor)),
                 [self = shared_from_this(), ended = std::move(ended)](const std::exception_ptr&) {
                   self->context_.instruments.targets(self->status().health).add(-1);
                   self->ended_ = true;
                   if (self->successor_ != nullptr) self->successor_->notify();
                   ended();
                 });
}

void ScrapeLoop::stop(LoopEnd how) {
  asio::post(executor_, [self = shared_from_this(), how] {
    self->how_ = self->stopping_ ? std::max(self->how_, how) : how;
    self->stopping_ = true;
    self->cancel_.emit(asio::cancellation_type::terminal);
    self->wakeup_.notify();
  });
}

void ScrapeLoop::set_job(std::shared_ptr<const JobRuntime> job) {
  const MutexLock lock(mu_);
  job_ = std::move(job);
}

void ScrapeLoop::set_discovered(model::Labels discovered) {
  const MutexLock lock(mu_);
  status_.discovered = std::move(discovered);
}

std::shared_ptr<const JobRuntime> ScrapeLoop::job() const {
  const MutexLock lock(mu_);
  return job_;
}

ActiveTarget ScrapeLoop::status() const {
  const MutexLock lock(mu_);
  return status_;
}

void ScrapeLoop::note(int64_t time_ms, const PageResult& result) {
  const MutexLock lock(mu_);
  context_.instruments.targets(status_.health).add(-1);
  status_.health = result.status ? TargetHealth::kUp : TargetHealth::kDown;
  context_.instruments.targets(status_.health).add(1);
  status_.last_error = result.status ? result.left_out : result.status.error().message;
  status_.last_scrape_ms = time_ms;
  status_.last_duration_seconds = result.duration_seconds;
}

// False when stopped meanwhile.
asio::awaitable<bool> ScrapeLoop::pause(int64_t ms) {
  const int64_t until = context_.clock.monotonic_ms() + ms;
  for (int64_t left = ms; !stopping_ && left > 0; left = until - context_.clock.monotonic_ms())
    co_await wakeup_.wait_for(milliseconds(left));
  co_return !stopping_;
}

asio::awaitable<void> ScrapeLoop::run(std::shared_ptr<ScrapeLoop> predecessor) {
  if (predecessor != nullptr) co_await take_over(*predecessor);
  predecessor.reset();
  while (co_await pause(schedule_.wait_ms())) {
    co_await turns_.enter();
    if (!stopping_) co_await scrape(schedule_.begin());
    turns_.leave();
    context_.instruments.late.add(static_cast<double>(schedule_.next()));
  }
  co_await end();
}

asio::awaitable<void> ScrapeLoop::take_over(ScrapeLoop& predecessor) {
  predecessor.successor_ = &wakeup_;
  while (!predecessor.ended()) co_await wakeup_.wait();
  pages_.adopt(predecessor.pages_);
  scraped_ = predecessor.scraped_;
}

asio::awaitable<Status> ScrapeLoop::on_worker(std::function<void()> work) {
  net::Wakeup done(executor_);
  auto posted = context_.workers.post([this, &done, &work] {
    work();
    asio::post(executor_, [&done] { done.notify(); });
  });
  if (posted) co_await done.wait();
  co_return posted;
}

asio::awaitable<void> ScrapeLoop::scrape(int64_t time_ms) {
  const auto now = job();
  FetchedPage page{.time_ms = time_ms, .started_ns = context_.clock.monotonic_ns()};
  net::Response response;  // holds the page's body
  if (now->forced) {
    co_await fetch(*now, page, response);
  } else {
    page.status = now->forced;
    page.outcome = ScrapeOutcome::kLimit;
  }
  // A request that a stop has cut off says nothing of the target.
  if (stopping_ && !page.status) co_return;
  scraped_ = true;
  PageResult result;
  const auto posted = co_await on_worker([&] { result = pages_.store(now->config, page); });
  if (!posted) {
    context_.instruments.scrapes(ScrapeOutcome::kOverload).add();
    result.status = fail(posted.error());
  }
  note(time_ms, result);
}

asio::awaitable<void> ScrapeLoop::fetch(const JobRuntime& job, FetchedPage& page,
                                        net::Response& response) {
  auto answer = co_await send(job);
  if (answer) {
    response = std::move(*answer);
    page.status = check_answer(*job.config, response, page);
    co_return;
  }
  page.outcome = outcome_of(answer.error().code);
  page.over_size_limit = page.outcome == ScrapeOutcome::kLimit && job.config->body_size_limit != 0;
  if (page.over_size_limit) context_.instruments.body_size_limit.add();
  page.status = fail(std::move(answer).error());
}

asio::awaitable<Result<net::Response>> ScrapeLoop::send(const JobRuntime& job) {
  Result<net::Response> answer = fail(Code::kCancelled, "the scrape was called off");
  net::Wakeup done(executor_);
  const auto take = [&answer, &done](const std::exception_ptr& thrown, Result<net::Response> got) {
    if (thrown == nullptr) answer = std::move(got);
    done.notify();
  };
  asio::co_spawn(executor_,
                 job.fetcher->fetch(request_of(target_, *job.config, context_.max_body_bytes)),
                 asio::bind_cancellation_slot(cancel_.slot(), take));
  co_await done.wait();
  co_return answer;
}

// The target may come back, or may have moved to another loop that is not known here: markers are
// written only when that has had time to happen, with the time of the first scrape that is missing.
asio::awaitable<void> ScrapeLoop::end() {
  if (how_ != LoopEnd::kTargetGone || !scraped_) co_return;
  const int64_t interval = target_.interval_ms;
  const int64_t grace = schedule_.wait_ms();
  const int64_t time_ms = context_.clock.wall_ms() + grace;
  const int64_t until = context_.clock.monotonic_ms() + grace + interval + interval / 10;
  while (how_ == LoopEnd::kTargetGone) {
    const int64_t left = until - context_.clock.monotonic_ms();
    if (left <= 0) break;
    co_await wakeup_.wait_for(milliseconds(left));
  }
  if (how_ == LoopEnd::kTargetGone) (void)co_await on_worker([&] { pages_.end(time_ms); });
}

}  // namespace binnacle::collect::scrape
