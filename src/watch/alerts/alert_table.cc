#include "watch/alerts/alert_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace binnacle::watch::alerts {
namespace {

using model::Alert;

size_t bytes_of(const Alert& alert) {
  return alert.labels.packed().size() + alert.annotations.packed().size() +
         alert.generator_url.size();
}

// `younger` was received last.
Alert merged(const Alert& older, bool older_timeout, Alert younger, int64_t now_ms) {
  younger.starts_at_ms = std::min(older.starts_at_ms, younger.starts_at_ms);
  const bool later_end = older.ends_at_ms > younger.ends_at_ms;
  if (younger.resolved_at(now_ms)) {
    if (older.resolved_at(now_ms) && later_end) younger.ends_at_ms = older.ends_at_ms;
  } else if (later_end && !older_timeout) {
    younger.ends_at_ms = older.ends_at_ms;
  }
  return younger;
}

bool overlap(const Alert& older, const Alert& younger) {
  return (younger.ends_at_ms > older.starts_at_ms && younger.ends_at_ms < older.ends_at_ms) ||
         (younger.starts_at_ms > older.starts_at_ms && younger.starts_at_ms < older.ends_at_ms);
}

}  // namespace

Status AlertTable::check(const Alert& alert) const {
  if (alert.labels.empty()) {
    return fail(Code::kInvalidArgument, "alert: at least one label with a value is needed");
  }
  if (alert.ends_at_ms < alert.starts_at_ms) {
    return fail(Code::kInvalidArgument, fmt::format("alert {}: it ends ({}) before it starts ({})",
                                                    alert.labels.to_string().substr(0, 200),
                                                    alert.ends_at_ms, alert.starts_at_ms));
  }
  if (bytes_of(alert) > limits_.max_alert_bytes) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("alert {}...: its labels and annotations have {} bytes, {} are taken at most; "
                    "shorten the annotations",
                    alert.labels.to_string().substr(0, 200), bytes_of(alert),
                    limits_.max_alert_bytes));
  }
  return {};
}

Result<AlertTable::Stored> AlertTable::put(Alert alert, int64_t now_ms,
                                           int64_t resolve_timeout_ms) {
  alert.updated_at_ms = now_ms;
  if (alert.starts_at_ms == 0) {
    alert.starts_at_ms = alert.ends_at_ms == 0 ? now_ms : alert.ends_at_ms;
  }
  bool timeout = alert.ends_at_ms == 0;
  // The start may lie in the future, of a sender whose clock runs ahead.
  if (timeout) alert.ends_at_ms = std::max(now_ms + resolve_timeout_ms, alert.starts_at_ms);
  TRY(check(alert));
  const uint64_t fingerprint = model::alert_fingerprint(alert.labels);
  const auto it = alerts_.find(fingerprint);
  if (it == alerts_.end() && alerts_.size() >= limits_.max_alerts) {
    return fail(Code::kResourceExhausted,
                fmt::format("alert {}: {} alerts are active, the limit; resolve or group some",
                            alert.labels.to_string().substr(0, 200), limits_.max_alerts));
  }
  Stored result{.fingerprint = fingerprint};
  StoredAlert* stored = nullptr;
  if (it == alerts_.end()) {
    stored = &alerts_[fingerprint];
    result.content_changed = true;
  } else {
    stored = &it->second;
    if (overlap(stored->alert, alert)) {
      // A clock that went back makes the one that is there the younger one.
      if (alert.updated_at_ms < stored->alert.updated_at_ms) {
        alert = merged(alert, timeout, stored->alert, now_ms);
        timeout = stored->timeout;
      } else {
        alert = merged(stored->alert, stored->timeout, std::move(alert), now_ms);
      }
    }
    result.content_changed = stored->alert.annotations.packed() != alert.annotations.packed() ||
                             stored->alert.generator_url != alert.generator_url;
  }
  const bool firing = !alert.resolved_at(now_ms);
  result.fired = firing && (it == alerts_.end() || !stored->open);
  result.resolved = !firing && stored->open;
  stored->alert = std::move(alert);
  stored->timeout = timeout;
  stored->open = firing;
  note_end(*stored);
  return result;
}

void AlertTable::restore(StoredAlert alert) {
  const uint64_t fingerprint = model::alert_fingerprint(alert.alert.labels);
  alert.groups = 0;
  note_end(alert);
  alerts_.insert_or_assign(fingerprint, std::move(alert));
}

const StoredAlert* AlertTable::find(uint64_t fingerprint) const {
  const auto it = alerts_.find(fingerprint);
  return it == alerts_.end() ? nullptr : &it->second;
}

void AlertTable::hold(uint64_t fingerprint) {
  const auto it = alerts_.find(fingerprint);
  CHECK(it != alerts_.end());
  ++it->second.groups;
}

void AlertTable::release(uint64_t fingerprint) {
  const auto it = alerts_.find(fingerprint);
  CHECK(it != alerts_.end() && it->second.groups > 0);
  --it->second.groups;
}

bool AlertTable::remove_if_done(uint64_t fingerprint, int64_t now_ms) {
  const auto it = alerts_.find(fingerprint);
  if (it == alerts_.end() || it->second.groups > 0 || it->second.open ||
      !it->second.alert.resolved_at(now_ms)) {
    return false;
  }
  alerts_.erase(it);
  return true;
}

std::vector<uint64_t> AlertTable::take_ended(int64_t now_ms) {
  std::vector<uint64_t> ended;
  if (next_end_ms_ > now_ms) return ended;
  next_end_ms_ = INT64_MAX;
  for (auto& [fingerprint, stored] : alerts_) {
    if (stored.open && stored.alert.resolved_at(now_ms)) {
      stored.open = false;
      ended.push_back(fingerprint);
    }
    note_end(stored);
  }
  return ended;
}

void AlertTable::note_end(const StoredAlert& stored) {
  if (stored.open) next_end_ms_ = std::min(next_end_ms_, stored.alert.ends_at_ms);
}

}  // namespace binnacle::watch::alerts
