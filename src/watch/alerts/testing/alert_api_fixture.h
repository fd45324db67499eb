// For tests: the routes of both alert APIs over a service in memory and a real audit log, called as
// the server would, without sockets.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "store/access/access_schema.h"
#include "store/access/audit_log.h"
#include "store/state/event_store.h"
#include "store/state/testing/state_fixture.h"
#include "watch/alerts/api/alert_api.h"
#include "watch/alerts/testing/memory_alert_service.h"

namespace binnacle::watch::alerts {

class AlertApiFixture : public testing::Test {
 protected:
  using json = nlohmann::json;

  AlertApiFixture() {
    const AlertApiTools tools{.service = service,
                              .clock = clock,
                              .audit = audit,
                              .intake = service,
                              .pool = pool,
                              .version = "1.2.3",
                              .revision = "abc",
                              .node_name = "node",
                              .address = "127.0.0.1:8080",
                              .started_ms = 1'700'000'000'000};
    EXPECT_TRUE(register_alert_api(router, tools));
  }

  net::Response call(net::Method method, std::string_view target, std::string_view body = {}) {
    net::Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    request.body = body;
    request.identity.name = "eve";
    const auto match = router.match(method, request.path, request.path_params);
    if (match.route == nullptr) return net::Response::text(match.path_exists ? 405 : 404, "");
    const auto& handler = std::get<net::Handler>(match.route->handler);
    net::RequestQueue* const queue = match.route->queue;
    if (queue == nullptr) return handler(request);
    std::promise<net::Response> answered;
    queue->post(request, [&](const Status& admitted) {
      answered.set_value(admitted ? handler(request) : queue->refusal(admitted.error()));
    });
    return answered.get_future().get();
  }
  // A body that is not JSON is a discarded value.
  json call_json(net::Method method, std::string_view target, std::string_view body = {},
                 int status = 200);
  json get(std::string_view target, int status = 200);
  std::vector<std::string> audited() {
    std::vector<std::string> actions;
    const auto rows = audit.recent(0, 100);
    EXPECT_TRUE(rows);
    for (const auto& row : *rows) actions.push_back(row.record.action);
    return actions;
  }

  static std::vector<store::state::Migration> migrations() {
    const auto list = store::access::access_migrations();
    return {list.begin(), list.end()};
  }

  SimulatedClock clock;
  Registry registry;
  store::state::StateFixture state{migrations()};
  store::state::EventStore events{*state.store, clock, registry};
  store::access::AuditLog audit{*state.store, events, clock, registry};
  MemoryAlertService service{clock};
  ThreadPool pool{"api", 1, 16};
  net::Router router;
};

}  // namespace binnacle::watch::alerts
