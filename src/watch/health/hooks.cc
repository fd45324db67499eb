#include "watch/health/hooks.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"
#include "base/log.h"
#include "net/http_peer.h"

namespace binnacle::watch::health {

namespace asio = boost::asio;
using model::Event;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

constexpr int64_t kWaitSliceMs = 50;  // how soon a stop is noticed
constexpr size_t kMaxAnswerBytes = 64 * 1024;
constexpr int kTooManyRequests = 429;
constexpr int kRequestTimeout = 408;

std::string event_json(const std::string& hook, const Event& event) {
  json data = parse_json(event.data);
  const json out = {{"hook", hook},
                    {"id", event.id},
                    {"time", format_rfc3339(event.time_ms)},
                    {"kind", event.kind},
                    {"subject", event.subject},
                    {"cause_id", event.cause_id},
                    {"data", data.is_discarded() ? json(event.data) : std::move(data)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::pair<std::string, std::string>> event_environment(const Event& event) {
  return {{"BINNACLE_EVENT_ID", std::to_string(event.id)},
          {"BINNACLE_EVENT_TIME", format_rfc3339(event.time_ms)},
          {"BINNACLE_EVENT_KIND", event.kind},
          {"BINNACLE_EVENT_SUBJECT", event.subject},
          {"BINNACLE_EVENT_DATA", event.data}};
}

// What all kinds begin with, so that the bus leaves out as much as it can.
std::string common_prefix(const std::vector<std::string>& prefixes) {
  if (prefixes.empty()) return "";
  std::string common = prefixes.front();
  for (const std::string& prefix : prefixes) {
    const auto end = std::mismatch(common.begin(), common.end(), prefix.begin(), prefix.end());
    common.erase(end.first, common.end());
  }
  return common;
}

net::HttpClientConfig http_config(const HookSpec& spec) {
  net::HttpClientConfig config;
  config.tls.ca_file = spec.ca_file;
  config.headers = spec.headers;
  config.proxy_from_environment = true;
  config.follow_redirects = false;  // a POST that is sent on would lose its body
  if (!spec.bearer_token_file.empty())
    config.authorization = net::Authorization{.credentials_file = spec.bearer_token_file};
  return config;
}

// How a call went: done, to be repeated, or never to succeed.
enum class Outcome : uint8_t { kDelivered, kFailed, kRefused };
struct Attempt {
  Outcome outcome = Outcome::kFailed;
  std::string message;
};

asio::awaitable<Attempt> post_event(std::shared_ptr<net::HttpPeer> peer,
                                    net::ClientRequest request) {
  const auto response = co_await peer->send(std::move(request));
  if (!response) co_return Attempt{Outcome::kFailed, response.error().message};
  const int status = response->status;
  if (status >= 200 && status < 300) co_return Attempt{Outcome::kDelivered, ""};
  const bool again = status >= 500 || status == kTooManyRequests || status == kRequestTimeout;
  co_return Attempt{again ? Outcome::kFailed : Outcome::kRefused,
                    fmt::format("answered {} {}", status, net::status_reason(status))};
}

asio::awaitable<Attempt> run_for_event(RunHookProgram run, std::vector<std::string> argv,
                                       std::vector<std::pair<std::string, std::string>> environment,
                                       milliseconds timeout) {
  const Status done = co_await run(std::move(argv), std::move(environment), timeout);
  if (!done) co_return Attempt{Outcome::kFailed, done.error().message};
  co_return Attempt{Outcome::kDelivered, ""};
}

}  // namespace

class Hooks::Hook {
 public:
  Hook(HookSpec spec, const HookTools& tools)
      : spec_(std::move(spec)),
        tools_(tools),
        delivered_(count("delivered")),
        failed_(count("failed")),
        refused_(count("refused")),
        given_up_(count("given_up")),
        seconds_(tools.registry.histogram("binnacle_hook_duration_seconds",
                                          "How long calls of hooks took.", latency_bounds(),
                                          {{"hook", spec_.name}})) {
    if (!spec_.url.empty()) {
      peer_ = std::make_shared<net::HttpPeer>(http_config(spec_), tools.files, tools.clock);
    }
  }
  ~Hook() {
    stopping_ = true;
    if (handle_) tools_.events.unsubscribe(*handle_);
  }

  Status start() {
    TRY_ASSIGN(handle_,
               tools_.events.subscribe("hook/" + spec_.name, common_prefix(spec_.events),
                                       [this](const Event& event) { return take(event); }));
    return {};
  }
  const HookSpec& spec() const { return spec_; }

 private:
  Counter& count(const char* outcome) {
    return tools_.registry.counter("binnacle_hook_deliveries_total",
                                   "Calls of hooks for an event, by how they went.",
                                   {{"hook", spec_.name}, {"outcome", outcome}});
  }

  bool wants(const Event& event) const {
    return spec_.events.empty() ||
           std::any_of(spec_.events.begin(), spec_.events.end(),
                       [&](const std::string& prefix) { return event.kind.starts_with(prefix); });
  }

  // Success moves the bus on to the next event; an error brings this one again, later and later.
  Status take(const Event& event) {
    if (!wants(event)) return {};
    const int64_t began_ms = tools_.clock.monotonic_ms();
    if (event.id != trying_id_) {
      trying_id_ = event.id;
      trying_since_ms_ = began_ms;
    }
    const auto attempt = call(event);
    if (!attempt) return fail(Code::kCancelled, "the process is stopping");
    const int64_t now_ms = tools_.clock.monotonic_ms();
    seconds_.observe(static_cast<double>(now_ms - began_ms) / 1000);
    return judge(event, *attempt, now_ms);
  }

  Status judge(const Event& event, const Attempt& attempt, int64_t now_ms) {
    if (attempt.outcome == Outcome::kDelivered) {
      delivered_.add();
      log_.info("hook called", {{"hook", spec_.name}, {"event", event.id}, {"kind", event.kind}});
      return {};
    }
    const bool refused = attempt.outcome == Outcome::kRefused;
    (refused ? refused_ : failed_).add();
    if (!refused && now_ms - trying_since_ms_ < spec_.retry_for_ms) {
      return fail(Code::kUnavailable, fmt::format("hook {}: {}", spec_.name, attempt.message));
    }
    if (!refused) given_up_.add();
    log_.error(refused ? "hook refused an event" : "hook failed for too long, event given up",
               {{"hook", spec_.name},
                {"event", event.id},
                {"kind", event.kind},
                {"subject", event.subject},
                {"error", attempt.message}});
    return {};
  }

  asio::awaitable<Attempt> attempt_of(const Event& event) const {
    if (peer_ == nullptr) {
      return run_for_event(tools_.run_program, spec_.command, event_environment(event),
                           milliseconds(spec_.timeout_ms));
    }
    net::ClientRequest request;
    request.method = net::Method::kPost;
    request.url = spec_.url;
    request.body = event_json(spec_.name, event);
    request.headers.set("Content-Type", "application/json");
    // The same event may come twice: who receives it can tell.
    request.headers.set("Idempotency-Key", fmt::format("binnacle-event-{}", event.id));
    request.timeout = milliseconds(spec_.timeout_ms);
    request.max_body_bytes = kMaxAnswerBytes;
    return post_event(peer_, std::move(request));
  }

  // Waits on the bus's thread; nullopt when the process stops first.
  std::optional<Attempt> call(const Event& event) {
    struct Wait {
      Mutex mu;
      CondVar done;
      std::optional<Attempt> attempt GUARDED_BY(mu);
    };
    const auto wait = std::make_shared<Wait>();  // the call may outlive a stop
    asio::co_spawn(tools_.io.next(), attempt_of(event),
                   [wait](const std::exception_ptr& thrown, Attempt attempt) {
                     const MutexLock lock(wait->mu);
                     if (thrown != nullptr) attempt.message = "the call broke off";
                     wait->attempt = std::move(attempt);
                     wait->done.notify_all();
                   });
    const MutexLock lock(wait->mu);
    while (!wait->attempt && !stopping_) wait->done.wait_for_ms(wait->mu, kWaitSliceMs);
    return wait->attempt;
  }

  // Fixed after construction.
  const HookSpec spec_;
  const HookTools& tools_;
  Counter& delivered_;
  Counter& failed_;
  Counter& refused_;
  Counter& given_up_;
  Histogram& seconds_;
  std::shared_ptr<net::HttpPeer> peer_;  // with calls that outlive a stop; null: a program
  const Log log_{"hooks"};

  std::atomic<bool> stopping_ = false;
  std::optional<uint64_t> handle_;

  // The bus's thread only.
  int64_t trying_id_ = 0;
  int64_t trying_since_ms_ = 0;
};

Hooks::Hooks(HookTools tools) : tools_(std::move(tools)) {}

Hooks::~Hooks() { stop(); }

Status Hooks::check(const std::vector<HookSpec>& specs) const {
  std::set<std::string> names;
  for (const HookSpec& spec : specs) {
    const auto bad = [&](std::string_view what) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("health.hooks: {}: {}", spec.name.empty() ? "(no name)" : spec.name, what));
    };
    if (spec.name.empty()) return bad("give each a name");
    if (!names.insert(spec.name).second) return bad("there are two of this name");
    if (spec.url.empty() == spec.command.empty()) return bad("give either a url or a command");
    if (!spec.command.empty() && !tools_.run_program) return bad("no programs are run here");
    if (spec.url.empty()) continue;
    const auto url = net::Url::parse(spec.url);
    if (!url || (url->scheme != "http" && url->scheme != "https"))
      return bad(fmt::format("url ({}): write http:// or https://", spec.url));
  }
  return {};
}

Status Hooks::set(std::vector<HookSpec> specs) {
  TRY(check(specs));
  const MutexLock lock(mu_);
  std::erase_if(hooks_, [&](const auto& held) {
    return std::find(specs.begin(), specs.end(), held.second->spec()) == specs.end();
  });
  for (HookSpec& spec : specs) {
    if (hooks_.contains(spec.name)) continue;
    const std::string name = spec.name;
    auto hook = std::make_unique<Hook>(std::move(spec), tools_);
    TRY(hook->start());
    hooks_[name] = std::move(hook);
  }
  return {};
}

void Hooks::stop() {
  const MutexLock lock(mu_);
  hooks_.clear();
}

}  // namespace binnacle::watch::health
