// Alerts that are posted: read at once, answered when they are on disk. A request waits for the
// commit as one of a queue, so that no thread does. Within this folder; owned by its route. Any
// thread.
#pragma once

#include <functional>
#include <string_view>

#include "net/router.h"
#include "watch/alerts/api/alert_api.h"

namespace binnacle::watch::alerts {

class AlertPosts final : public net::RequestQueue {
 public:
  explicit AlertPosts(const AlertApiTools& tools);

  void post(const net::Request& request, std::function<void(const Status&)> work) override;
  net::Response refusal(const Error& why) const override;

 private:
  void take(std::string_view body, std::function<void(const Status&)> work) const;

  const AlertApiTools tools_;
};

}  // namespace binnacle::watch::alerts
