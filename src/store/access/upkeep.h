// Housekeeping of this room on a thread of its own: writes down when keys were last used, forgets
// ended sessions and tokens. References outlive it.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "base/repeating_thread.h"
#include "store/access/key_store.h"
#include "store/access/session_store.h"
#include "store/access/token_store.h"

#include <cstdint>

namespace binnacle::store::access {

class AccessUpkeep {
 public:
  AccessUpkeep(KeyStore& keys, SessionStore& sessions, TokenStore& tokens,
               int64_t interval_ms = 30'000)
      : keys_(keys), sessions_(sessions), tokens_(tokens), interval_ms_(interval_ms) {}
  ~AccessUpkeep();  // stop()
  AccessUpkeep(const AccessUpkeep&) = delete;
  AccessUpkeep& operator=(const AccessUpkeep&) = delete;

  void start();
  void stop();  // with a last round, so that the latest uses are written

 private:
  void round();

  // Fixed after construction.
  KeyStore& keys_;
  SessionStore& sessions_;
  TokenStore& tokens_;
  const int64_t interval_ms_;
  const Log log_{"access"};

  RepeatingThread thread_{"access-upkeep"};  // start() and stop() alone
};

}  // namespace binnacle::store::access
