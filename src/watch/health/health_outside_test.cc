#include "watch/health/health_outside.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "watch/health/testing/health_fixture.h"

namespace binnacle::watch::health {
namespace {

using boost::asio::ip::tcp;

class HealthOutsideTest : public HealthFixture {
 protected:
  ~HealthOutsideTest() override { service->stop(); }

  // What the agent check says to who asks for `what`.
  static std::string ask(const std::string& address, const std::string& what) {
    boost::asio::io_context context;
    tcp::socket socket(context);
    const size_t colon = address.rfind(':');
    socket.connect({boost::asio::ip::make_address(address.substr(0, colon)),
                    static_cast<uint16_t>(std::stoi(address.substr(colon + 1)))});
    boost::asio::write(socket, boost::asio::buffer(what));
    std::string text;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), end);
    return text;
  }
};

TEST_F(HealthOutsideTest, AnswersHaproxyAndOpensGrpc) {
  files("checks: [{name: db, type: pushed}, {name: app, type: pushed}]");
  auto outside =
      HealthOutside::open({{.address = "127.0.0.1:0"}, "127.0.0.1:0"}, *service, io, registry);
  ASSERT_TRUE(outside) << outside.error().message;
  EXPECT_TRUE(push("db", Health::kFailed, "refused"));
  EXPECT_TRUE(push("app", Health::kHealthy));
  wait_changes(5);
  const std::string address = (*outside)->agent_check_address();
  EXPECT_EQ(ask(address, ""), "down #db: refused\n");
  EXPECT_EQ(ask(address, "app\n"), "up ready 100%\n");
  EXPECT_EQ(ask(address, std::string(100, 'x')), "\n");
  EXPECT_NE((*outside)->grpc_address(), "");
  // A taken port is an error that names it.
  const auto taken = HealthOutside::open({{}, address}, *service, io, registry);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find(address), std::string::npos);
}

}  // namespace
}  // namespace binnacle::watch::health
