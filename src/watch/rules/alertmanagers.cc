#include "watch/rules/alertmanagers.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <deque>

#include <fmt/format.h>

#include "base/json_text.h"
#include "base/log.h"
#include "base/trailing_slash.h"
#include "net/http_peer.h"

namespace binnacle::watch::rules {

namespace asio = boost::asio;

namespace {

constexpr size_t kMaxAnswerBytes = 64 * 1024;
constexpr int64_t kFirstPauseMs = 500;
constexpr int64_t kLongestPauseMs = 8'000;
constexpr std::string_view kAlertsPath = "/api/v2/alerts";

void append_pairs(std::string& out, model::LabelsView labels) {
  out += '{';
  for (const model::Label& label : labels) {
    if (out.back() != '{') out += ',';
    append_json_string(out, label.name);
    out += ':';
    append_json_string(out, label.value);
  }
  out += '}';
}

bool has_port(std::string_view address) {
  const size_t colon = address.rfind(':');
  return colon != std::string_view::npos && address.find(']', colon) == std::string_view::npos &&
         (address.starts_with('[') || address.find(':') == colon);
}

std::string without_credentials(const std::string& text) {
  const auto url = net::Url::parse(text);
  return url ? url->scheme + "://" + url->authority() + url->target : text;
}

// As it goes into relabelling.
model::Labels found_labels(const AlertmanagerSpec& spec, const model::Labels& target) {
  std::string prefix = without_trailing_slash(spec.path_prefix);
  if (!prefix.empty() && !prefix.starts_with('/')) prefix.insert(0, "/");
  return model::LabelsBuilder(target)
      .set("__scheme__", spec.scheme)
      .set("__alerts_path__", prefix + std::string(kAlertsPath))
      .build();
}

// "" without an address.
std::string url_of(const model::Labels& labels) {
  const std::string scheme(labels.get("__scheme__"));
  std::string address(labels.get("__address__"));
  if (address.empty()) return "";
  if (!has_port(address)) address += scheme == "https" ? ":443" : ":80";
  return fmt::format("{}://{}{}", scheme, address, labels.get("__alerts_path__"));
}

}  // namespace

std::string alertmanager_url(const AlertmanagerSpec& spec, const model::Labels& target) {
  const auto labels = model::relabel(spec.relabel, found_labels(spec, target));
  return labels ? url_of(*labels) : "";
}

std::string alerts_json(const std::vector<model::Alert>& alerts) {
  std::string out = "[";
  for (const model::Alert& alert : alerts) {
    if (out.size() > 1) out += ',';
    out += R"({"labels":)";
    append_pairs(out, alert.labels);
    out += R"(,"annotations":)";
    append_pairs(out, alert.annotations);
    if (alert.starts_at_ms != 0)
      out += fmt::format(R"(,"startsAt":"{}")", format_rfc3339(alert.starts_at_ms));
    if (alert.ends_at_ms != 0)
      out += fmt::format(R"(,"endsAt":"{}")", format_rfc3339(alert.ends_at_ms));
    out += R"(,"generatorURL":)";
    append_json_string(out, alert.generator_url);
    out += '}';
  }
  return out + "]";
}

// One Alertmanager. A coroutine on an I/O thread empties the queue and ends with it.
struct Alertmanagers::Target : std::enable_shared_from_this<Alertmanagers::Target> {
  Target(std::string to, const AlertmanagerSpec& spec, const AlertmanagerOptions& limits,
         const AlertmanagerTools& tools)
      : url(std::move(to)),
        alert_relabel(spec.alert_relabel),
        timeout_ms(spec.timeout_ms),
        options(limits),
        io(tools.io),
        peer(spec.http, tools.files, tools.clock),
        clock(tools.clock),
        sent(tools.registry.counter("binnacle_rule_notifications_sent_total",
                                    "Alerts sent to Alertmanagers outside.",
                                    {{"alertmanager", without_credentials(url)}})),
        errors(tools.registry.counter("binnacle_rule_notifications_errors_total",
                                      "Alerts of requests to Alertmanagers outside that failed.",
                                      {{"alertmanager", without_credentials(url)}})),
        dropped(tools.registry.counter(
            "binnacle_rule_notifications_dropped_total",
            "Alerts for Alertmanagers outside that were given up: the queue was full or the "
            "request failed.",
            {{"alertmanager", without_credentials(url)}})),
        waiting(tools.registry.gauge("binnacle_rule_notifications_queue_length",
                                     "Alerts that wait for an Alertmanager outside.",
                                     {{"alertmanager", without_credentials(url)}})),
        seconds(tools.registry.histogram("binnacle_rule_notifications_duration_seconds",
                                         "How long requests to Alertmanagers outside took.",
                                         latency_bounds(),
                                         {{"alertmanager", without_credentials(url)}})) {}

  void put(const std::vector<model::Alert>& alerts) EXCLUDES(mu) {
    {
      MutexLock lock(mu);
      for (const model::Alert& alert : alerts) {
        auto labels = model::relabel(alert_relabel, alert.labels);
        if (!labels || labels->empty()) continue;
        queue.push_back(alert);
        queue.back().labels = *std::move(labels);
      }
      for (; queue.size() > options.queue_capacity; queue.pop_front()) dropped.add();
      waiting.set(static_cast<double>(queue.size()));
      if (draining || queue.empty()) return;
      draining = true;
    }
    asio::co_spawn(io.next(), drain(shared_from_this()), asio::detached);
  }

  std::vector<model::Alert> take_batch() EXCLUDES(mu) {
    std::vector<model::Alert> batch;
    MutexLock lock(mu);
    while (!stopped && !queue.empty() && batch.size() < options.max_batch) {
      batch.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    waiting.set(static_cast<double>(queue.size()));
    draining = !batch.empty();
    return batch;
  }

  static asio::awaitable<void> drain(TargetPtr self) {
    for (;;) {
      const auto batch = self->take_batch();
      if (batch.empty()) co_return;
      co_await deliver(self, alerts_json(batch), batch.size());
    }
  }

  // What passes is tried again, but not for so long that the alerts are told anew meanwhile.
  static asio::awaitable<void> deliver(TargetPtr self, std::string body, size_t alerts) {
    const int64_t until_ms = self->clock.monotonic_ms() + self->options.retry_for_ms;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int64_t pause_ms = kFirstPauseMs;; pause_ms = std::min(2 * pause_ms, kLongestPauseMs)) {
      const Result<net::Response> response = co_await self->attempt(body);
      self->sent.add(static_cast<double>(alerts));
      if (response && response->status >= 200 && response->status < 300) co_return;
      self->errors.add(static_cast<double>(alerts));
      const bool again = may_pass(response) && !self->is_stopped() &&
                         self->clock.monotonic_ms() + pause_ms < until_ms;
      self->tell(response, alerts, again);
      if (!again) co_return;
      timer.expires_after(std::chrono::milliseconds(pause_ms));
      co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  asio::awaitable<Result<net::Response>> attempt(const std::string& body) {
    net::ClientRequest request;
    request.method = net::Method::kPost;
    request.url = url;
    request.body = body;
    request.headers.set("Content-Type", "application/json");
    request.timeout = std::chrono::milliseconds(timeout_ms);
    request.max_body_bytes = kMaxAnswerBytes;
    const int64_t begin_ns = clock.monotonic_ns();
    auto response = co_await peer.send(std::move(request));
    seconds.observe(static_cast<double>(clock.monotonic_ns() - begin_ns) / 1e9);
    co_return response;
  }

  static bool may_pass(const Result<net::Response>& response) {
    return !response || response->status == 429 || response->status >= 500;
  }

  bool is_stopped() EXCLUDES(mu) {
    MutexLock lock(mu);
    return stopped;
  }

  void tell(const Result<net::Response>& response, size_t alerts, bool again) {
    if (!again) dropped.add(static_cast<double>(alerts));
    log.error(again ? "an Alertmanager did not take alerts; it is asked again"
                    : "an Alertmanager did not take alerts; they are given up",
              {{"alertmanager", without_credentials(url)},
               {"alerts", static_cast<int64_t>(alerts)},
               {"error", response ? fmt::format("answered {}: {}", response->status,
                                                response->body.substr(0, 200))
                                  : response.error().message}});
  }

  // Fixed after construction.
  const std::string url;
  const std::vector<model::RelabelRule> alert_relabel;
  const int64_t timeout_ms;
  const AlertmanagerOptions options;
  net::IoThreads& io;
  net::HttpPeer peer;
  const Clock& clock;
  Counter& sent;
  Counter& errors;
  Counter& dropped;
  Gauge& waiting;
  Histogram& seconds;
  const Log log{"rules"};

  Mutex mu;
  std::deque<model::Alert> queue GUARDED_BY(mu);
  bool draining GUARDED_BY(mu) = false;
  bool stopped GUARDED_BY(mu) = false;
};

Alertmanagers::Alertmanagers(AlertmanagerOptions options, AlertmanagerTools tools)
    : options_(options), tools_(tools) {}

Alertmanagers::~Alertmanagers() { stop(); }

void Alertmanagers::set_specs(std::map<std::string, AlertmanagerSpec> specs) {
  MutexLock lock(mu_);
  entries_.clear();
  for (auto& [name, spec] : specs) entries_[name].spec = std::move(spec);
}

void Alertmanagers::set_targets(const std::string& spec,
                                const std::vector<model::TargetGroup>& groups) {
  MutexLock lock(mu_);
  const auto it = entries_.find(spec);
  if (it == entries_.end() || stopping_) return;
  Entry& entry = it->second;
  std::map<std::string, TargetPtr> targets;
  std::set<std::string> dropped;
  for (const model::TargetGroup& group : groups) {
    for (const model::Labels& target : group.targets) {
      model::LabelsBuilder labels(group.labels);
      for (const model::Label& label : target) labels.set(label.name, label.value);
      const model::Labels found = labels.build();
      const std::string url = alertmanager_url(entry.spec, found);
      if (url.empty() && dropped.size() < options_.max_targets) {
        dropped.insert(url_of(found_labels(entry.spec, found)));
      }
      if (url.empty() || targets.size() >= options_.max_targets || targets.contains(url)) continue;
      const auto known = entry.targets.find(url);
      targets[url] = known != entry.targets.end()
                         ? known->second
                         : std::make_shared<Target>(url, entry.spec, options_, tools_);
    }
  }
  entry.targets = std::move(targets);
  entry.dropped = std::move(dropped);
}

void Alertmanagers::send(const std::vector<model::Alert>& alerts) {
  std::vector<TargetPtr> targets;
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    for (const auto& [name, entry] : entries_)
      for (const auto& [url, target] : entry.targets) targets.push_back(target);
  }
  for (const TargetPtr& target : targets) target->put(alerts);
}

AlertmanagerUrls Alertmanagers::urls() const {
  std::set<std::string> active;
  std::set<std::string> dropped;
  MutexLock lock(mu_);
  for (const auto& [name, entry] : entries_) {
    for (const auto& [url, target] : entry.targets) active.insert(without_credentials(url));
    for (const std::string& url : entry.dropped) dropped.insert(without_credentials(url));
  }
  return {{active.begin(), active.end()}, {dropped.begin(), dropped.end()}};
}

void Alertmanagers::stop() {
  MutexLock lock(mu_);
  stopping_ = true;
  for (const auto& [name, entry] : entries_) {
    for (const auto& [url, target] : entry.targets) {
      MutexLock of_target(target->mu);
      target->stopped = true;
    }
  }
  entries_.clear();
}

}  // namespace binnacle::watch::rules
