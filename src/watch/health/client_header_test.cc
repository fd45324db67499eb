// The header that applications include, against the real API over a real socket.
#include <binnacle_check.h>

#include "net/server.h"
#include "watch/health/testing/health_fixture.h"

namespace binnacle::watch::health {
namespace {

class ClientHeaderTest : public HealthFixture {
 protected:
  ClientHeaderTest() {
    EXPECT_TRUE(register_health_api(router_, *service, audit));
    net::ListenerOptions listener;
    listener.address = "127.0.0.1:0";
    EXPECT_TRUE(server_.listen(listener));
    server_.start();
    const std::string address = server_.addresses().at(0);
    port_ = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  ~ClientHeaderTest() override { server_.stop(std::chrono::milliseconds(100)); }

  net::Router router_;
  net::Server server_{io, router_, nullptr, pool, registry, clock, {}};
  uint16_t port_ = 0;
};

TEST_F(ClientHeaderTest, PushesAReading) {
  const CheckClient client("127.0.0.1", port_);
  CheckResult result;
  result.status = CheckStatus::kDegraded;
  result.message = "a \"quoted\"\nline";
  result.value = 0.1;
  result.ttl_seconds = 7.5;
  result.component = "trainer";
  result.evidence = {"one", "two"};
  std::string why;
  ASSERT_TRUE(client.push("trainer/loss", result, &why)) << why;
  service->read([](const HealthTree& tree) {
    const CheckRow& row = tree.checks().at("trainer/loss");
    EXPECT_EQ(row.state.health, Health::kDegraded);
    EXPECT_EQ(row.state.last->message, "a \"quoted\"\nline");
    EXPECT_EQ(row.state.last->value, 0.1);
    EXPECT_EQ(row.state.last->evidence.size(), 2U);
    EXPECT_EQ(row.spec.ttl_ms, 7'500);
    EXPECT_EQ(row.spec.component, "trainer");
  });
}

TEST_F(ClientHeaderTest, SaysWhyNot) {
  std::string why;
  CheckResult result;
  result.criticality = "very";
  EXPECT_FALSE(CheckClient("127.0.0.1", port_).push("a", result, &why));
  EXPECT_NE(why.find("400"), std::string::npos) << why;
  EXPECT_NE(why.find("criticality"), std::string::npos) << why;
  EXPECT_FALSE(CheckClient("127.0.0.1", 1).push("a", result, &why));
  EXPECT_NE(why.find("refused"), std::string::npos) << why;
}

}  // namespace
}  // namespace binnacle::watch::health
