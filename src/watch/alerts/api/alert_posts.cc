#include "watch/alerts/api/alert_posts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "watch/alerts/api/alert_json.h"
#include "watch/alerts/api/alert_routes.h"

namespace binnacle::watch::alerts {
namespace {

// Some 30 alerts, which are read in a third of a millisecond: as long as an I/O thread may work.
constexpr size_t kReadAtOnce = size_t{8} * 1024;

// What is fine was stored whatever became of the rest.
Status outcome(std::vector<std::string> problems, const Status& put) {
  if (!put && put.error().code != Code::kInvalidArgument) return put;
  if (!put) problems.push_back(put.error().message);
  if (problems.empty()) return {};
  return fail(Code::kInvalidArgument, fmt::format("{}", fmt::join(problems, "; ")));
}

}  // namespace

AlertPosts::AlertPosts(const AlertApiTools& tools) : tools_(tools) {}

void AlertPosts::post(const net::Request& request, std::function<void(const Status&)> work) {
  if (request.body.size() <= kReadAtOnce) return take(request.body, std::move(work));
  // The request holds until `work` is over.
  const Status posted = tools_.pool.post([this, body = request.body, work] { take(body, work); });
  if (!posted) work(posted);
}

void AlertPosts::take(std::string_view body, std::function<void(const Status&)> work) const {
  auto posted = read_alerts(body, tools_.clock.wall_ms());
  if (!posted) return work(fail(std::move(posted).error()));
  if (posted->alerts.empty()) return work(outcome(std::move(posted->problems), {}));
  tools_.intake.put_later(std::move(posted->alerts),
                          [problems = std::move(posted->problems), work = std::move(work)](
                              const Status& put) { work(outcome(problems, put)); });
}

net::Response AlertPosts::refusal(const Error& why) const { return alertmanager_refusal(why); }

}  // namespace binnacle::watch::alerts
