#include "store/access/lockout.h"

#include <algorithm>

namespace binnacle::store::access {

Lockout::Verdict Lockout::step(int64_t now_ms, Event event, std::string_view address) {
  switch (event) {
    case Event::kAttempt: {
      const Record* record = addresses_.find(address);
      if (record == nullptr) return {};
      return {.locked_for_ms = std::max<int64_t>(0, record->locked_until_ms - now_ms)};
    }
    case Event::kFailure:
      return fail(now_ms, address);
    case Event::kSuccess:
      addresses_.erase(address);
      return {};
  }
  CHECK(false);
}

Lockout::Verdict Lockout::fail(int64_t now_ms, std::string_view address) {
  Record& record = addresses_.find_or_add(address, Record{});
  if (now_ms - record.last_failure_ms > policy_.forget_ms) record.failures = 0;
  ++record.failures;
  record.last_failure_ms = now_ms;
  if (record.failures <= policy_.free_failures) return {};
  const int64_t locked_ms = lock_ms(record.failures - policy_.free_failures - 1);
  CHECK(locked_ms > 0);
  record.locked_until_ms = now_ms + locked_ms;
  return {.locked_for_ms = locked_ms, .newly_locked = true};
}

int64_t Lockout::lock_ms(int doublings) const {
  int64_t ms = policy_.first_lock_ms;
  for (int i = 0; i < doublings && ms < policy_.longest_lock_ms; ++i) ms *= 2;
  return std::min(ms, policy_.longest_lock_ms);
}

}  // namespace binnacle::store::access
