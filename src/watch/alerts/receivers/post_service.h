// A service that is told by one POST: what is posted, and what its answers mean. Immutable;
// prepare() runs on the pool, judge() on the I/O thread.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "net/http.h"
#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

struct Post {
  std::string url;
  net::Headers headers;
  std::string body;  // JSON
  // What no message may show beside the URL: tokens, keys.
  std::vector<std::string> secrets;
};

class PostService {
 public:
  virtual ~PostService() = default;
  virtual Result<Post> prepare(const Notification& notification) const = 0;
  // The body holds the first 64 KiB at most, and may be cut short. By default: 2xx is success, 5xx
  // and 429 are tried again.
  virtual SendOutcome judge(const net::Response& response) const;
  // Whether the body of a 2xx answer counts. Where it does not, nobody waits for it.
  virtual bool reads_body() const { return false; }
};

// The verdict of the status alone, with what the body says of a failure.
SendOutcome judge_status(const net::Response& response, bool retry_client_errors = false);
// The Retry-After header in ms, an hour at most; 0: there is none that can be read.
int64_t retry_after_ms(const net::Response& response);

}  // namespace binnacle::watch::alerts
