// Locks out addresses that keep showing wrong keys, each time for longer. A pure state machine: the
// time is handed in, nothing is done but deciding. One thread at a time.
#pragma once

#include "store/access/recent_table.h"

#include <cstdint>
#include <string_view>

namespace binnacle::store::access {

struct LockoutPolicy {
  int free_failures = 5;           // the next one locks
  int64_t first_lock_ms = 30'000;  // doubled with each failure after
  int64_t longest_lock_ms = 3'600'000;
  int64_t forget_ms = int64_t{24} * 3'600'000;  // without a failure
  size_t max_addresses = 10'000;
};

class Lockout {
 public:
  enum class Event : uint8_t {
    kAttempt,  // a key is about to be checked: may it be?
    kFailure,  // it was wrong
    kSuccess,  // it was right: the address is forgiven
  };
  struct Verdict {
    int64_t locked_for_ms = 0;  // 0: go on
    bool newly_locked = false;  // by this event
  };

  explicit Lockout(LockoutPolicy policy) : policy_(policy), addresses_(policy.max_addresses) {}

  // `now_ms` is monotonic. Failures of attempts that were refused as locked must not be handed in.
  Verdict step(int64_t now_ms, Event event, std::string_view address);

  size_t size() const { return addresses_.size(); }

 private:
  struct Record {
    int failures = 0;
    int64_t last_failure_ms = 0;
    int64_t locked_until_ms = 0;
  };
  Verdict fail(int64_t now_ms, std::string_view address);
  int64_t lock_ms(int doublings) const;

  const LockoutPolicy policy_;
  RecentTable<Record> addresses_;
};

}  // namespace binnacle::store::access
