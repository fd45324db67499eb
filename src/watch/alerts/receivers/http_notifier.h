// Tells a PostService over HTTP. An attempt ends within its time whatever the peer does: it hangs,
// drips, or sends a body without end (the first 64 KiB are read).
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "net/http_peer.h"
#include "watch/alerts/notification.h"
#include "watch/alerts/receivers/post_service.h"

namespace binnacle::watch::alerts {

class HttpNotifier final : public Notifier {
 public:
  // `own_timeout_ms` bounds each attempt beside the caller's; 0: it does not. `dedup_scope` names
  // the integration among all.
  HttpNotifier(std::shared_ptr<const PostService> service, const net::HttpClientConfig& http,
               int64_t own_timeout_ms, std::string dedup_scope, FileSystem& files,
               const Clock& clock, ThreadPool& pool);

  boost::asio::awaitable<SendOutcome> send(const Notification& notification,
                                           int64_t timeout_ms) override;

 private:
  struct State;
  const std::shared_ptr<State> state_;  // shared with attempts that outlive this
};

}  // namespace binnacle::watch::alerts
