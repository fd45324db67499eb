#include "watch/health/engines/engine_watcher.h"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"
#include "base/log.h"
#include "collect/engines/engine_poller.h"
#include "collect/host/linux/process_family.h"
#include "net/background_loop.h"
#include "net/client.h"
#include "net/run_on_pool.h"
#include "watch/health/engines/canary.h"
#include "watch/health/engines/engine_reading.h"
#include "watch/health/engines/engine_ways.h"
#include "watch/health/engines/vitals_reader.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using collect::engines::LocalEngine;
using std::chrono::milliseconds;

constexpr int64_t kCanaryLookMs = 250;  // how often it is asked whether one is due
constexpr size_t kMaxPageBytes = size_t{16} << 20;
constexpr size_t kMaxAnswerBytes = size_t{1} << 20;

EngineNature nature_of(const LocalEngine& engine, const EngineWatcherOptions& options) {
  EngineNature nature = ways_of(engine.engine).nature;
  nature.canaries = nature.canaries && options.canaries;
  return nature;
}

collect::engines::PollTarget poll_target(const LocalEngine& engine,
                                         const EngineWatcherOptions& options) {
  return {.engine = engine.engine,
          .url = engine.url,
          .interval_ms = options.progress.look_interval_ms,
          .timeout_ms = options.look_timeout_ms};
}

std::string_view outcome_name(CanaryResult::Outcome outcome) {
  constexpr std::array<std::string_view, 5> kNames = {"token", "nothing", "overloaded", "failed",
                                                      "refused"};
  return kNames.at(static_cast<size_t>(outcome));
}

Vitals unanswered(const Error& error) {
  Vitals vitals;
  vitals.answer = error.code == Code::kDeadlineExceeded ? Vitals::Answer::kSilent
                  : error.code == Code::kUnavailable    ? Vitals::Answer::kRefused
                                                        : Vitals::Answer::kUseless;
  return vitals;
}

}  // namespace

std::string instance_of(const LocalEngine& engine) {
  const auto url = net::Url::parse(engine.metrics_url.empty() ? engine.url : engine.metrics_url);
  return url ? url->authority() : engine.url;
}

struct EngineWatcher::Parts {
  Parts(LocalEngine e, EngineWatcherOptions o, EngineWatcherTools t);

  asio::awaitable<void> look_on();
  asio::awaitable<void> look();
  asio::awaitable<Vitals> vitals();
  asio::awaitable<void> ask_word();
  asio::awaitable<void> look_at_host();
  asio::awaitable<void> send_canaries();
  asio::awaitable<void> send_canary(Canary canary);
  asio::awaitable<std::string> model_to_ask();
  asio::awaitable<Result<net::Response>> get(std::string url, size_t max_body_bytes);
  void judge();
  void tell(EngineState before);
  void show_state();
  int64_t now_ms() const { return tools.clock.monotonic_ms(); }

  // Fixed after construction.
  const LocalEngine engine;
  const EngineWatcherOptions options;
  const EngineWatcherTools tools;
  const EngineWays& ways;
  const std::string instance;

  // Executor only.
  net::Client client;
  collect::engines::EnginePoller poller;
  VitalsReader reader;
  EngineProgress progress;
  EngineJudgement judgement;
  EngineState settled_state = EngineState::kUnknown;
  int64_t told_ms = 0;
  std::optional<double> cpu_seconds;  // of the last look at its processes, at
  int64_t cpu_ms = 0;

  net::BackgroundLoop loop;  // last: its coroutines use all of the above
};

EngineWatcher::Parts::Parts(LocalEngine e, EngineWatcherOptions o, EngineWatcherTools t)
    : engine(std::move(e)),
      options(std::move(o)),
      tools(std::move(t)),
      ways(ways_of(engine.engine)),
      instance(instance_of(engine)),
      client({.max_idle_per_host = 2, .proxy_from_environment = false}, tools.files),
      poller(poll_target(engine, options), tools.files, tools.clock, tools.registry),
      reader(engine.engine, tools.registry),
      progress(options.progress, nature_of(engine, options)),
      loop(tools.io) {}

asio::awaitable<void> EngineWatcher::Parts::look_on() {
  for (;;) {
    const int64_t began_ms = now_ms();
    co_await look();
    const int64_t rest_ms = options.progress.look_interval_ms - (now_ms() - began_ms);
    co_await net::rest(milliseconds(std::max<int64_t>(rest_ms, 1)));
  }
}

asio::awaitable<void> EngineWatcher::Parts::look() {
  const Vitals seen = co_await vitals();
  progress.look(now_ms(), seen);
  if (seen.answer == Vitals::Answer::kGood) co_await ask_word();
  if (progress.doubtful(now_ms())) {
    co_await look_at_host();
  } else {
    cpu_seconds.reset();
  }
  judge();
}

asio::awaitable<Vitals> EngineWatcher::Parts::vitals() {
  if (engine.metrics_url.empty()) co_return vitals_of_poll(co_await poller.ask());
  const auto page = co_await get(engine.metrics_url, kMaxPageBytes);
  if (!page) co_return unanswered(page.error());
  if (page->status == 200) {
    if (const auto read = reader.read_page(page->body, page->headers.get("Content-Type")))
      co_return *read;
  }
  Vitals useless;
  useless.answer = Vitals::Answer::kUseless;
  co_return useless;
}

asio::awaitable<void> EngineWatcher::Parts::ask_word() {
  if (ways.word_path.empty()) co_return;
  const auto answer = co_await get(engine.url + std::string(ways.word_path), kMaxAnswerBytes);
  progress.word(read_word(ways, answer));
}

asio::awaitable<Result<net::Response>> EngineWatcher::Parts::get(std::string url,
                                                                 size_t max_body_bytes) {
  net::ClientRequest request{.url = std::move(url),
                             .timeout = milliseconds(options.look_timeout_ms),
                             .max_body_bytes = max_body_bytes};
  co_return co_await client.send(std::move(request));
}

asio::awaitable<void> EngineWatcher::Parts::look_at_host() {
  if (engine.pid == 0) co_return;
  Result<collect::host::FamilyView> view = collect::host::FamilyView{};
  const auto ran = co_await net::run_on_pool(tools.pool, [this, &view] {
    view = collect::host::look_at_family(tools.files, options.proc_path, engine.pid);
  });
  if (!ran || !view || view->pids.empty()) co_return;
  HostEvidence evidence;
  evidence.stopped_pid = view->stopped_pid;
  const int64_t now = now_ms();
  if (cpu_seconds && now > cpu_ms) {
    const double used = std::max(0.0, view->cpu_seconds - *cpu_seconds);
    evidence.cpu_cores = used * 1'000 / static_cast<double>(now - cpu_ms);
  }
  if (tools.gpus != nullptr) {
    if (const auto use = tools.gpus->of_processes(view->pids)) {
      evidence.gpu_utilization_ratio = use->utilization_ratio;
      evidence.gpu_power_ratio = use->power_ratio;
      evidence.gpu_at_ms = use->at_ms;
    }
  }
  cpu_seconds = view->cpu_seconds;
  cpu_ms = now;
  progress.host(evidence);
}

asio::awaitable<void> EngineWatcher::Parts::send_canaries() {
  for (;;) {
    if (const auto due = progress.canary_due(now_ms())) co_await send_canary(*due);
    co_await net::rest(milliseconds(kCanaryLookMs));
  }
}

asio::awaitable<void> EngineWatcher::Parts::send_canary(Canary canary) {
  const std::string model = co_await model_to_ask();
  if (model.empty()) co_return progress.canary_left(now_ms());
  const CanaryAnswer answer =
      co_await ask_for_token(client, engine.url, canary_request(ways.canary, model),
                             milliseconds(canary.timeout_ms), tools.clock);
  tools.registry
      .counter("binnacle_engine_canaries_total",
               "Requests for one token that engines were sent to see that they work, by outcome.",
               {{"engine", std::string(collect::engines::engine_name(engine.engine))},
                {"outcome", std::string(outcome_name(answer.result.outcome))}})
      .add();
  progress.canary_done(now_ms(), answer.result);
  if (answer.unwelcome) {
    progress.no_more_canaries();
    Log("engines").warn("an engine does not take requests for one token; it is judged without",
                        {{"engine", instance}, {"error", answer.result.detail}});
  }
  judge();
}

// "": none is in memory, and asking would load one.
asio::awaitable<std::string> EngineWatcher::Parts::model_to_ask() {
  if (ways.loaded_path.empty() && !engine.models.empty()) co_return engine.models.front();
  const std::string path(ways.loaded_path.empty() ? "/v1/models" : ways.loaded_path);
  const std::string pointer(ways.loaded_path.empty() ? "/data/0/id" : ways.loaded_pointer);
  const auto answer = co_await get(engine.url + path, kMaxAnswerBytes);
  if (!answer) co_return "";
  const auto body = parse_json(answer->body);
  const nlohmann::json::json_pointer at(pointer);
  if (body.is_discarded() || !body.contains(at) || !body[at].is_string()) co_return "";
  co_return body[at].get<std::string>();
}

void EngineWatcher::Parts::judge() {
  const EngineState before = judgement.state;
  judgement = progress.judge(now_ms());
  const bool changed = judgement.state != before;
  if (!changed && now_ms() - told_ms < options.repeat_ms) return;
  told_ms = now_ms();
  if (changed) show_state();
  tell(changed ? settled_state : judgement.state);
  if (settled(judgement.state)) settled_state = judgement.state;
}

void EngineWatcher::Parts::tell(EngineState before) {
  if (!tools.report) return;
  EngineReport report;
  report.engine = collect::engines::engine_name(engine.engine);
  report.instance = instance;
  report.url = engine.url;
  report.state = judgement.state;
  report.before = before;
  report.since_ms = tools.clock.wall_ms() - (now_ms() - judgement.since_ms);
  report.evidence = judgement.evidence;
  tools.report(report);
}

void EngineWatcher::Parts::show_state() {
  for (size_t i = 0; i < kEngineStates; ++i) {
    const auto state = static_cast<EngineState>(i);
    tools.registry
        .gauge("binnacle_engine_state",
               "1 for the state that an engine is judged to be in, else 0.",
               {{"engine", std::string(collect::engines::engine_name(engine.engine))},
                {"instance", instance},
                {"state", std::string(engine_state_name(state))}})
        .set(state == judgement.state ? 1 : 0);
  }
}

EngineWatcher::EngineWatcher(LocalEngine engine, EngineWatcherOptions options,
                             EngineWatcherTools tools)
    : parts_(std::make_unique<Parts>(std::move(engine), std::move(options), std::move(tools))) {}

EngineWatcher::~EngineWatcher() { stop(); }

void EngineWatcher::start() {
  Parts* const parts = parts_.get();
  parts->loop.start(
      {[parts] { return parts->look_on(); }, [parts] { return parts->send_canaries(); }});
}

void EngineWatcher::stop() { parts_->loop.stop(); }

const LocalEngine& EngineWatcher::engine() const { return parts_->engine; }

}  // namespace binnacle::watch::health
