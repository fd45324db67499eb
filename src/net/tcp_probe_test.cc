#include "net/tcp_probe.h"

#include "net/coroutine_test_loop.h"
#include "net/probe_listener.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

TEST(TcpProbe, TellsHowSoonAPeerAnswers) {
  TestLoop loop;
  const SystemClock clock;
  ScriptedPeer peer(loop, [](TestSocket& socket, int) -> boost::asio::awaitable<void> {
    co_await client_closes(socket);
  });
  const std::string address = "127.0.0.1:" + std::to_string(peer.port());
  const auto took = loop.run(probe_tcp(address, std::chrono::seconds(10), clock));
  ASSERT_TRUE(took) << took.error().message;
  EXPECT_GT(*took, 0);
  EXPECT_LT(*took, 10'000'000'000);
}

TEST(TcpProbe, AListenerForProbesAnswersThemAll) {
  TestLoop loop;
  const SystemClock clock;
  for (const char* address : {"127.0.0.1:0", ":0"}) {
    auto listener = ProbeListener::open(loop.io(), address);
    ASSERT_TRUE(listener) << listener.error().message;
    std::string bound = (*listener)->address();
    if (bound.starts_with(':')) bound = "127.0.0.1" + bound;
    for (int i = 0; i < 3; ++i) {
      const auto took = loop.run(probe_tcp(bound, std::chrono::seconds(10), clock));
      EXPECT_TRUE(took) << took.error().message;
    }
    EXPECT_FALSE(ProbeListener::open(loop.io(), bound)) << "is taken";
    listener->reset();
    loop.io().poll();
    EXPECT_FALSE(loop.run(probe_tcp(bound, std::chrono::seconds(10), clock)));
  }
  EXPECT_FALSE(ProbeListener::open(loop.io(), "unix:/x"));
  EXPECT_FALSE(ProbeListener::open(loop.io(), "localhost:1"));
}

TEST(TcpProbe, SaysWhyNot) {
  TestLoop loop;
  const SystemClock clock;
  const auto code_of = [&](const char* address) {
    const auto took = loop.run(probe_tcp(address, std::chrono::seconds(10), clock));
    return took ? Code::kInternal : took.error().code;
  };
  EXPECT_EQ(code_of("127.0.0.1:1"), Code::kUnavailable);  // reserved: nobody listens there
  EXPECT_EQ(code_of("127.0.0.1:9/x"), Code::kInvalidArgument);
  EXPECT_EQ(code_of("::1"), Code::kInvalidArgument);
  EXPECT_EQ(code_of("127.0.0.1"), Code::kInvalidArgument);  // no port of HTTP's is meant
  EXPECT_EQ(code_of(""), Code::kInvalidArgument);
}

}  // namespace
}  // namespace binnacle::net
