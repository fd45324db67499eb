#include "collect/engines/engine_poller.h"

#include <algorithm>

#include <fmt/format.h>

#include "net/client.h"

namespace binnacle::collect::engines {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

net::ClientOptions client_limits(const PollTarget& target) {
  net::ClientOptions limits;
  limits.connect_timeout = milliseconds(target.timeout_ms / 2);
  // An engine that serves one connection at a time would wait for the next request on it.
  limits.max_idle_per_host = 0;
  return limits;
}

model::Labels with_target(model::LabelsView target, model::LabelsView series) {
  model::LabelsBuilder builder(target);
  for (const model::Label& label : series) builder.set(label.name, label.value);
  return builder.build();
}

}  // namespace

Status check_poll_target(const PollTarget& target) {
  if (poll_engine(target.engine) == nullptr) {
    return fail(Code::kInvalidArgument,
                fmt::format("poll engine: {} exports metrics; scrape its {} instead",
                            engine_name(target.engine), traits(target.engine).metrics_path));
  }
  const auto url = net::Url::parse(target.url);
  if (!url) return fail(Error(url.error()).with_context("poll engine: url"));
  if (target.url.ends_with('/') || url->target != "/") {
    return fail(Code::kInvalidArgument,
                fmt::format("poll engine: the url must end after the port ({})", target.url));
  }
  if (target.timeout_ms < 100 || target.interval_ms < target.timeout_ms) {
    return fail(Code::kInvalidArgument,
                fmt::format("poll engine: the timeout must be 100 ms or more and at most the "
                            "interval ({} ms of {} ms)",
                            target.timeout_ms, target.interval_ms));
  }
  return {};
}

EnginePoller::EnginePoller(PollTarget target, FileSystem& files, const Clock& clock,
                           Registry& registry)
    : target_(std::move(target)),
      clock_(clock),
      registry_(registry),
      peer_(target_.http, files, clock, client_limits(target_)) {}

asio::awaitable<PollAnswer> EnginePoller::get(std::string_view path) {
  PollAnswer answer{.path = path};
  net::ClientRequest request{.url = target_.url + std::string(path),
                             .timeout = milliseconds(target_.timeout_ms),
                             .max_body_bytes = target_.max_body_bytes};
  request.headers.set("Connection", "close");
  request.headers.set("Accept", "application/json");
  const int64_t begun_ms = clock_.monotonic_ms();
  auto response = co_await peer_.send(std::move(request));
  if (!response) {
    // Time that ran out while connecting is the network's; later it is the engine's.
    const bool silent = response.error().code == Code::kDeadlineExceeded &&
                        clock_.monotonic_ms() - begun_ms > target_.timeout_ms * 3 / 4;
    answer.fault = silent ? PollFault::kNoAnswer : PollFault::kUnreachable;
    answer.problem = response.error().message;
  } else if (response->status != 200) {
    answer.fault = PollFault::kStatus;
    answer.problem = fmt::format("status {}", response->status);
  } else {
    answer.body = std::move(response->body);
  }
  co_return answer;
}

// One after the other: an engine that cannot say how it is need not be asked more.
asio::awaitable<PollResult> EnginePoller::ask() {
  std::vector<PollAnswer> answers;
  for (const std::string_view path : poll_paths(target_.engine)) {
    answers.push_back(co_await get(path));
    const PollFault fault = answers.back().fault;
    if (fault == PollFault::kUnreachable || fault == PollFault::kNoAnswer) break;
  }
  PollResult result = read_answers(target_.engine, std::move(answers), target_.max_series);
  count(result);
  co_return result;
}

void EnginePoller::count(const PollResult& result) {
  if (result.left_out > 0) {
    registry_
        .counter("binnacle_engine_poll_series_left_out_total",
                 "Series of polled engines left out, at each poll: they tell of too many.",
                 {{"engine", std::string(engine_name(target_.engine))}})
        .add(static_cast<double>(result.left_out));
  }
  for (const PollAnswer& answer : result.faults) {
    registry_
        .counter("binnacle_engine_poll_failures_total",
                 "Questions to engines without metrics that got no answer of use, by reason.",
                 {{"engine", std::string(engine_name(target_.engine))},
                  {"reason", std::string(poll_fault_name(answer.fault))}})
        .add();
  }
}

Result<size_t> EnginePoller::append(const PollResult& result, model::Appendable& store,
                                    int64_t time_ms) {
  const auto appender = store.appender();
  ++round_;
  // A store takes one value at a time of a series; an end may come in the millisecond of an answer.
  time_ms = newest_ms_ = std::max(time_ms, newest_ms_ + 1);
  size_t refused = 0;
  for (const PolledSeries& series : result.series) {
    Known& known = known_[series.labels.packed()];
    if (known.labels.empty()) known.labels = with_target(target_.labels, series.labels);
    known.round = round_;
    const auto ref = appender->append(known.ref, known.labels, {time_ms, series.value});
    if (ref) {
      known.ref = *ref;
    } else {
      ++refused;
    }
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (it->second.round == round_) {
      ++it;
      continue;
    }
    if (!appender->append(it->second.ref, it->second.labels, {time_ms, model::stale_nan()})) {
      ++refused;
    }
    it = known_.erase(it);
  }
  TRY_ASSIGN(const model::CommitReport report, appender->commit());
  return refused + report.refused.size();
}

}  // namespace binnacle::collect::engines
