#include "show/events_api.h"

#include <gtest/gtest.h>

#include "show/test_route_caller.h"

namespace binnacle::show {
namespace {

// Three fixed events behind the seam, newest first, with the filters of the real bus.
class FixedEvents final : public model::EventBus {
 public:
  Result<int64_t> publish(model::Event) override { return fail(Code::kUnimplemented, "publish"); }
  Result<uint64_t> subscribe(std::string, std::string, Deliver) override {
    return fail(Code::kUnimplemented, "subscribe");
  }
  void unsubscribe(uint64_t) override {}
  Result<std::vector<model::Event>> recent(std::string_view kind_prefix, int64_t before_id,
                                           size_t limit) override {
    std::vector<model::Event> out;
    for (int64_t id = 3; id >= 1; --id) {
      const std::string kind = id == 2 ? "login.failed" : "config.reloaded";
      if (out.size() == limit || (before_id != 0 && id >= before_id) ||
          !kind.starts_with(kind_prefix))
        continue;
      out.push_back({id, 1'700'000'000'000 + id, kind, "s\"1", 0, R"({"n":1})"});
    }
    return out;
  }
};

class EventsApiTest : public testing::Test {
 protected:
  EventsApiTest() { EXPECT_TRUE(register_events_api(router_, events_)); }
  net::Response get(std::string_view query) {
    return call_route(router_, net::Method::kGet,
                      std::string("/api/binnacle/v1/events") + std::string(query));
  }

  FixedEvents events_;
  net::Router router_;
};

TEST_F(EventsApiTest, NewestFirstWithFilters) {
  EXPECT_EQ(
      get("?kind=login").body,
      R"({"events":[{"id":2,"time":"2023-11-14T22:13:20.002Z","kind":"login.failed","subject":"s\"1",)"
      R"("cause_id":0,"data":{"n":1}}]})");
  const std::string all = get("").body;
  EXPECT_LT(all.find("\"id\":3"), all.find("\"id\":1"));
  EXPECT_EQ(get("?limit=1&before=2").body.find("\"id\":2"), std::string::npos);
  EXPECT_NE(get("?limit=1&before=2").body.find("\"id\":1"), std::string::npos);
}

TEST_F(EventsApiTest, BadNumbersAreNamed) {
  EXPECT_EQ(get("?limit=x").status, 400);
  EXPECT_NE(get("?before=-1").body.find("before"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::show
