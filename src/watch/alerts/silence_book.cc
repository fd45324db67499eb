#include "watch/alerts/silence_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace binnacle::watch::alerts {
namespace {

size_t bytes_of(const Silence& silence) {
  size_t bytes = silence.created_by.size() + silence.comment.size();
  for (const model::Matcher& m : silence.matchers) bytes += m.name().size() + m.value().size();
  for (const auto& [name, value] : silence.annotations) bytes += name.size() + value.size();
  return bytes;
}

bool same_matchers(const model::Matchers& a, const model::Matchers& b) {
  return std::ranges::equal(a, b, [](const model::Matcher& x, const model::Matcher& y) {
    return x.op() == y.op() && x.name() == y.name() && x.value() == y.value();
  });
}

// Whether `before` may become `after` without altering what it silenced in the past.
bool may_update(const Silence& before, const Silence& after, int64_t now_ms) {
  if (!same_matchers(before.matchers, after.matchers)) return false;
  switch (before.state(now_ms)) {
    case SilenceState::kActive:
      // By seconds: a client may have cut the fraction off.
      return before.starts_at_ms / 1000 == after.starts_at_ms / 1000 && after.ends_at_ms >= now_ms;
    case SilenceState::kPending:
      return after.starts_at_ms >= now_ms;
    case SilenceState::kExpired:
      return false;
  }
  return false;
}

Silence expired(Silence silence, int64_t now_ms) {
  if (silence.state(now_ms) == SilenceState::kPending) silence.starts_at_ms = now_ms;
  silence.ends_at_ms = now_ms;
  silence.updated_at_ms = now_ms;
  return silence;
}

Unexpected invalid(std::string_view what) {
  return fail(Code::kInvalidArgument, fmt::format("silence: {}", what));
}

Unexpected unknown(const std::string& id) {
  return fail(Code::kNotFound, fmt::format("silence {}: there is none of that id", id));
}

}  // namespace

Status SilenceBook::check(const Silence& silence) const {
  if (silence.matchers.empty()) return invalid("at least one matcher is needed");
  if (std::ranges::all_of(silence.matchers,
                          [](const model::Matcher& m) { return m.matches_empty(); })) {
    return invalid("at least one matcher must not match the empty string");
  }
  if (silence.ends_at_ms == 0) return invalid("the end is not set");
  if (silence.ends_at_ms <= silence.starts_at_ms) return invalid("it ends before it starts");
  if (bytes_of(silence) > limits_.max_silence_bytes) {
    return invalid(fmt::format("it has {} bytes, {} are taken at most", bytes_of(silence),
                               limits_.max_silence_bytes));
  }
  return {};
}

Result<SilenceChange> SilenceBook::plan_set(Silence silence, int64_t now_ms) const {
  if (silence.starts_at_ms == 0) silence.starts_at_ms = now_ms;
  TRY(check(silence));
  const Silence* before = silence.id.empty() ? nullptr : find(silence.id);
  if (!silence.id.empty() && before == nullptr) return unknown(silence.id);
  silence.updated_at_ms = now_ms;
  if (before != nullptr && may_update(*before, silence, now_ms)) {
    return SilenceChange{.id = silence.id, .upserted = {std::move(silence)}};
  }
  if (silence.ends_at_ms <= now_ms) return invalid("it ends in the past");
  if (silences_.size() >= limits_.max_silences) {
    return fail(Code::kResourceExhausted,
                fmt::format("silence: {} are kept, the limit; ended ones go after {} h",
                            limits_.max_silences, limits_.retention_ms / 3'600'000));
  }
  SilenceChange change;
  if (before != nullptr && before->state(now_ms) != SilenceState::kExpired) {
    change.upserted.push_back(expired(*before, now_ms));
  }
  silence.id = new_id_();
  silence.starts_at_ms = std::max(silence.starts_at_ms, now_ms);
  change.id = silence.id;
  change.upserted.push_back(std::move(silence));
  return change;
}

Result<SilenceChange> SilenceBook::plan_expire(const std::string& id, int64_t now_ms) const {
  const Silence* silence = find(id);
  if (silence == nullptr) return unknown(id);
  SilenceChange change{.id = id, .upserted = {}};
  if (silence->state(now_ms) != SilenceState::kExpired) {
    change.upserted.push_back(expired(*silence, now_ms));
  }
  return change;
}

void SilenceBook::apply(const SilenceChange& change) {
  for (const Silence& silence : change.upserted) {
    reminded_.erase(silence.id);
    live_.insert(&silences_.insert_or_assign(silence.id, silence).first->second);
  }
}

const Silence* SilenceBook::find(const std::string& id) const {
  const auto it = silences_.find(id);
  return it == silences_.end() ? nullptr : &it->second;
}

std::vector<std::string> SilenceBook::active_for(model::LabelsView alert, int64_t now_ms) const {
  std::vector<std::string> ids;
  for (const Silence* silence : live_) {
    if (silence->state(now_ms) == SilenceState::kActive &&
        model::matches_all(silence->matchers, alert)) {
      ids.push_back(silence->id);
    }
  }
  std::ranges::sort(ids);
  return ids;
}

std::vector<const Silence*> SilenceBook::take_ending(int64_t now_ms, int64_t ahead_ms) {
  std::vector<const Silence*> ending;
  if (ahead_ms <= 0) return ending;
  for (const auto& [id, silence] : silences_) {
    // A silence that is shorter than the time of the warning needs none.
    if (silence.state(now_ms) != SilenceState::kActive || silence.ends_at_ms - now_ms > ahead_ms ||
        silence.ends_at_ms - silence.starts_at_ms <= ahead_ms || !reminded_.insert(id).second) {
      continue;
    }
    ending.push_back(&silence);
  }
  return ending;
}

std::vector<std::string> SilenceBook::gc(int64_t now_ms) {
  std::vector<std::string> gone;
  std::erase_if(live_, [&](const Silence* silence) { return silence->ends_at_ms <= now_ms; });
  for (auto it = silences_.begin(); it != silences_.end();) {
    if (it->second.ends_at_ms + limits_.retention_ms > now_ms) {
      ++it;
      continue;
    }
    gone.push_back(it->first);
    reminded_.erase(it->first);
    it = silences_.erase(it);
  }
  return gone;
}

std::string uuid_of(const std::array<char, 16>& bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto byte = static_cast<uint8_t>(bytes[i]);
    if (i == 6) byte = (byte & 0x0F) | 0x40;  // RFC 9562: version 4
    if (i == 8) byte = (byte & 0x3F) | 0x80;  // and its variant
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

}  // namespace binnacle::watch::alerts
