// What the API asks of the router.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "watch/alerts/alert_router.h"

namespace binnacle::watch::alerts {
namespace {

constexpr int64_t kTestSendMs = 10'000;
constexpr int64_t kTestWaitMs = 12'000;

std::string matchers_text(const model::Matchers& matchers) {
  std::vector<std::string> parts;
  for (const model::Matcher& matcher : matchers) parts.push_back(matcher.to_string());
  return fmt::format("{{{}}}", fmt::join(parts, ","));
}

bool has_matcher(const Silence& silence, const model::Matcher& asked) {
  return std::ranges::any_of(silence.matchers, [&](const model::Matcher& m) {
    return m.name() == asked.name() && asked.matches(m.value());
  });
}

// As Alertmanager filters silences: each matcher asked for takes the value of one of the silence's.
bool fits(const Silence& silence, const model::Matchers& filter) {
  return std::ranges::all_of(filter,
                             [&](const model::Matcher& m) { return has_matcher(silence, m); });
}

Notification test_notification(const Receiver& receiver, const AlertRouterOptions& options,
                               int64_t now_ms) {
  Notification test;
  test.receiver = receiver.name;
  test.group_labels = model::Labels{{"alertname", "TestAlert"}};
  test.group_key = R"({}:{alertname="TestAlert"})";
  test.now_ms = now_ms;
  test.external_url = options.external_url;
  test.reason = "test";
  test.alerts.push_back(
      {.labels = model::Labels{{"alertname", "TestAlert"}, {"severity", "info"}},
       .annotations = model::Labels{{"summary", "A test of the receiver; there is nothing to do."}},
       .starts_at_ms = now_ms,
       .updated_at_ms = now_ms,
       .generator_url = options.external_url});
  return test;
}

// Collects what the sends of a test answer. Shared with them: one may end late.
struct TestRun {
  Mutex mu;
  CondVar done;
  std::vector<AlertService::TestResult> results GUARDED_BY(mu);
  size_t open GUARDED_BY(mu) = 0;
};

}  // namespace

Result<std::vector<AlertView>> AlertRouter::alerts(const AlertFilter& filter) {
  const MutexLock lock(mu_);
  return dispatcher_.alerts(filter, now_ms());
}

Result<std::vector<GroupView>> AlertRouter::groups(const AlertFilter& filter) {
  const MutexLock lock(mu_);
  return dispatcher_.groups(filter, now_ms());
}

std::vector<Silence> AlertRouter::silences(const model::Matchers& filter) {
  std::vector<Silence> found;
  const MutexLock lock(mu_);
  for (const auto& [id, silence] : dispatcher_.silences().all()) {
    if (fits(silence, filter)) found.push_back(silence);
  }
  return found;
}

Result<Silence> AlertRouter::silence(const std::string& id) {
  const MutexLock lock(mu_);
  const Silence* found = dispatcher_.silences().find(id);
  if (found != nullptr) return *found;
  return fail(Code::kNotFound, fmt::format("silence {}: there is none of that id", id));
}

// Written before it holds, so that a silence that was refused never silenced anything.
Status AlertRouter::change_silence(const SilenceChange& change, std::string_view kind,
                                   const Silence& of, int64_t at_ms) {
  if (change.upserted.empty()) return {};
  AlertRows rows;
  for (const Silence& silence : change.upserted) rows.silences.emplace_back(silence.id, silence);
  rows.history.push_back(
      {.time_ms = at_ms,
       .kind = std::string(kind),
       .text = fmt::format("{} {} by {}: {}", change.id, matchers_text(of.matchers), of.created_by,
                           of.comment)});
  TRY(write_now(rows));
  const MutexLock lock(mu_);
  dispatcher_.apply(change);
  return {};
}

Result<std::string> AlertRouter::set_silence(Silence silence) {
  const MutexLock edit(edit_mu_);
  SilenceChange change;
  int64_t now = 0;
  {
    const MutexLock lock(mu_);
    now = now_ms();
    TRY_ASSIGN(change, dispatcher_.silences().plan_set(std::move(silence), now));
  }
  TRY(change_silence(change, "silenced", change.upserted.back(), now));
  return change.id;
}

Status AlertRouter::expire_silence(const std::string& id) {
  const MutexLock edit(edit_mu_);
  SilenceChange change;
  int64_t now = 0;
  {
    const MutexLock lock(mu_);
    now = now_ms();
    TRY_ASSIGN(change, dispatcher_.silences().plan_expire(id, now));
  }
  if (change.upserted.empty()) return {};
  return change_silence(change, "silence expired", change.upserted.back(), now);
}

Status AlertRouter::acknowledge(Acknowledgement acknowledgement) {
  const MutexLock edit(edit_mu_);
  const uint64_t fingerprint = acknowledgement.fingerprint;
  AlertRows rows;
  {
    const MutexLock lock(mu_);
    const int64_t now = now_ms();
    const StoredAlert* stored = dispatcher_.find_alert(fingerprint);
    if (stored == nullptr || stored->alert.resolved_at(now)) {
      return fail(Code::kNotFound,
                  fmt::format("acknowledge {:016x}: no such alert is active", fingerprint));
    }
    if (acknowledgement.expires_at_ms != 0 && acknowledgement.expires_at_ms <= now) {
      return fail(Code::kInvalidArgument,
                  fmt::format("acknowledge {:016x}: it would have expired already", fingerprint));
    }
    acknowledgement.labels = stored->alert.labels;
    acknowledgement.at_ms = now;
    rows.history.push_back(
        {.time_ms = now,
         .kind = "acknowledged",
         .fingerprint = fingerprint,
         .labels = acknowledgement.labels,
         .text = fmt::format("{}: {}", acknowledgement.by, acknowledgement.note)});
  }
  rows.acknowledgements.emplace_back(fingerprint, acknowledgement);
  TRY(write_now(rows));
  const MutexLock lock(mu_);
  // Resolved while it was written: the row goes with the next commit.
  dispatcher_.set_acknowledgement(std::move(acknowledgement));
  const StoredAlert* stored = dispatcher_.find_alert(fingerprint);
  if (stored == nullptr || !stored->open) dispatcher_.drop_acknowledgement(fingerprint);
  return {};
}

Status AlertRouter::unacknowledge(uint64_t fingerprint, const std::string& by) {
  const MutexLock edit(edit_mu_);
  AlertRows rows;
  {
    const MutexLock lock(mu_);
    const int64_t now = now_ms();
    const Acknowledgement* held = dispatcher_.acknowledgement(fingerprint, now);
    if (held == nullptr) {
      return fail(Code::kNotFound, fmt::format("alert {:016x} is not acknowledged", fingerprint));
    }
    rows.history.push_back({.time_ms = now,
                            .kind = "unacknowledged",
                            .fingerprint = fingerprint,
                            .labels = held->labels,
                            .text = by});
  }
  rows.acknowledgements.emplace_back(fingerprint, std::nullopt);
  TRY(write_now(rows));
  const MutexLock lock(mu_);
  dispatcher_.drop_acknowledgement(fingerprint);
  return {};
}

Result<std::vector<AlertHistoryEntry>> AlertRouter::history(const AlertHistoryQuery& query) {
  return history_.search(query, clock_.wall_ms());
}

std::shared_ptr<const AlertConfig> AlertRouter::config() const {
  const MutexLock lock(mu_);
  return dispatcher_.config();
}

Result<std::vector<AlertService::TestResult>> AlertRouter::test_receiver(const std::string& name) {
  const std::shared_ptr<const AlertConfig> held = config();
  const auto it = held->receivers.find(name);
  if (it == held->receivers.end()) {
    return fail(Code::kNotFound, fmt::format("receiver \"{}\": there is none of that name", name));
  }
  const auto notification = std::make_shared<const Notification>(
      test_notification(it->second, options(), clock_.wall_ms()));
  const auto run = std::make_shared<TestRun>();
  const std::vector<Integration>& integrations = it->second.integrations;
  {
    const MutexLock lock(run->mu);
    run->open = integrations.size();
    for (const Integration& integration : integrations) {
      run->results.push_back(
          {.integration = integration_name(integration), .error = "no answer within 12 s"});
    }
  }
  for (size_t i = 0; i < integrations.size(); ++i) {
    notifiers_.send({.target = {name, integration_name(integrations[i])},
                     .notification = notification,
                     .timeout_ms = kTestSendMs},
                    [run, i](const SendOutcome& outcome, int64_t) {
                      const MutexLock lock(run->mu);
                      const bool sent = outcome.kind == SendOutcome::Kind::kSent;
                      run->results[i].error = sent ? "" : outcome.message;
                      --run->open;
                      run->done.notify_all();
                    });
  }
  const int64_t until_ms = clock_.monotonic_ms() + kTestWaitMs;
  const MutexLock lock(run->mu);
  while (run->open > 0 && clock_.monotonic_ms() < until_ms) {
    if (!run->done.wait_for_ms(run->mu, kTestWaitMs)) break;
  }
  return run->results;
}

}  // namespace binnacle::watch::alerts
