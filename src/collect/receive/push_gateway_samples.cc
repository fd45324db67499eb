// How the push API's groups become samples and stale markers.
#include <set>
#include <utility>

#include "collect/receive/push_gateway.h"
#include "collect/receive/push_instruments.h"

namespace binnacle::collect::receive {
namespace {

void mark_stale(const model::Labels& labels, int64_t at_ms, model::Appender& to) {
  // A series that the store does not take has nothing to end.
  (void)to.append(model::kNoSeries, labels, {at_ms, model::stale_nan()});
}

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

}  // namespace

// Two changes within a millisecond must not meet in one sample.
int64_t PushGateway::next_ms(const Held& held) const {
  const int64_t now_ms = clock_.wall_ms();
  return now_ms == held.stored_ms ? now_ms + 1 : now_ms;
}

void PushGateway::append_group(Held& held, int64_t at_ms, model::Appender& to) const {
  const PushGroup& group = held.group;
  const auto put = [&](const model::Labels& labels, double value) {
    if (!to.append(model::kNoSeries, labels, {at_ms, value})) instruments_->refused.add();
  };
  held.stored_ms = at_ms;
  const bool expired = group.expired(at_ms);
  if (group.ttl_ms != 0) put(push_series(group.key, kPushExpired), expired ? 1 : 0);
  if (expired) {
    if (!std::exchange(held.stale, true)) append_stale(group, at_ms, to);
    return;
  }
  put(push_series(group.key, kPushTimeSeconds), seconds(group.pushed_ms));
  put(push_series(group.key, kPushFailureSeconds), seconds(group.failed_ms));
  for (const auto& [name, family] : group.families) {
    to.append_metadata(name, family.metadata);
    for (const PushedSeries& series : family.series) put(series.labels, series.value);
  }
}

// Of the series that `before` has and `after` has not.
void PushGateway::append_gone(const PushGroup& before, const PushGroup& after, int64_t at_ms,
                              model::Appender& to) {
  std::set<std::string_view> stays;
  for (const auto& [name, family] : after.families) {
    for (const PushedSeries& series : family.series) stays.insert(series.labels.packed());
  }
  for (const auto& [name, family] : before.families) {
    for (const PushedSeries& series : family.series) {
      if (!stays.contains(series.labels.packed())) mark_stale(series.labels, at_ms, to);
    }
  }
  if (before.ttl_ms != 0 && after.ttl_ms == 0)
    mark_stale(push_series(before.key, kPushExpired), at_ms, to);
}

// Of all series but the one that tells of the expiry.
void PushGateway::append_stale(const PushGroup& group, int64_t at_ms, model::Appender& to) {
  for (const auto& [name, family] : group.families) {
    for (const PushedSeries& series : family.series) mark_stale(series.labels, at_ms, to);
  }
  mark_stale(push_series(group.key, kPushTimeSeconds), at_ms, to);
  mark_stale(push_series(group.key, kPushFailureSeconds), at_ms, to);
}

// Of all of a group that is no more.
void PushGateway::append_end(const PushGroup& group, int64_t at_ms, model::Appender& to) {
  append_stale(group, at_ms, to);
  if (group.ttl_ms != 0) mark_stale(push_series(group.key, kPushExpired), at_ms, to);
}

Status PushGateway::store(Held& held, const PushGroup& before) {
  const int64_t at_ms = next_ms(held);
  const auto to = store_.appender();
  append_gone(before, held.group, at_ms, *to);
  append_group(held, at_ms, *to);
  return commit(*to);
}

Status PushGateway::commit(model::Appender& to) {
  TRY_ASSIGN(const model::CommitReport report, to.commit());
  instruments_->samples.add(static_cast<double>(report.stored));
  instruments_->refused.add(static_cast<double>(report.refused.size()));
  return {};
}

Status PushGateway::append_all() {
  MutexLock lock(mu_);
  if (groups_.empty()) {
    instruments_->expired.set(0);
    return {};
  }
  const auto to = store_.appender();
  std::vector<Held*> turned_stale;
  size_t expired = 0;
  for (auto& [packed, held] : groups_) {
    const bool was_stale = held.stale;
    append_group(held, next_ms(held), *to);
    expired += held.stale ? 1 : 0;
    if (held.stale && !was_stale) turned_stale.push_back(&held);
  }
  instruments_->expired.set(static_cast<double>(expired));
  Status done = commit(*to);
  if (!done) {
    for (Held* held : turned_stale) held->stale = false;  // once more with the next interval
  }
  return done;
}

}  // namespace binnacle::collect::receive
