// What an answer to a remote-write request means, and when to try again. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/random.h"
#include "collect/ship/shipper_options.h"
#include "net/http.h"

namespace binnacle::collect::ship {

enum class SendOutcome : uint8_t {
  kOk,
  kRefused,  // these samples will never be taken
  kFailed,   // try again
  kSlowed,   // try again, the receiver says when
};

struct SendVerdict {
  SendOutcome outcome = SendOutcome::kOk;
  int64_t wait_ms = 0;  // at least; the receiver's word, bounded by max_retry_after_ms
  std::string words;    // what went wrong, with the receiver's own words, cut to a line
};

// 2xx is fine. No answer, 5xx, 429, and what speaks of us and not of the samples (redirects, 401,
// 403, 404, 407, 408) is to be tried again: an expired key must not cost what the queue holds.
// Anything else refuses the samples. Retry-After is honoured in seconds and as a date against
// `now_ms`.
SendVerdict judge(const Result<net::Response>& answer, const ShipperOptions& options,
                  int64_t now_ms);

// Doubles from min_backoff_ms to max_backoff_ms; each time even over the upper half, so that
// senders that failed together do not come back together.
class Backoff {
 public:
  Backoff(const ShipperOptions& options, Random& random);
  int64_t next_ms();

 private:
  const int64_t max_ms_;
  int64_t ms_;
  Random& random_;
};

}  // namespace binnacle::collect::ship
