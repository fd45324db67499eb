#include <boost/asio/ip/udp.hpp>

#include <atomic>
#include <thread>

#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using testing::HasSubstr;

// A name server of one thread: answers every question with 192.0.2.7 and 192.0.2.8, with the code
// of a name that is not there, or not at all.
class NameServer {
 public:
  enum class Way : uint8_t { kAnswer, kNoName, kSilent };
  explicit NameServer(Way way)
      : socket_(io_, udp::endpoint(asio::ip::address_v4::loopback(), 0)),
        thread_([this, way] { serve(way); }) {}
  ~NameServer() {
    udp::socket last(io_, udp::endpoint(asio::ip::address_v4::loopback(), 0));
    last.send_to(asio::buffer("x", 1), socket_.local_endpoint());  // one short packet ends it
    thread_.join();
  }
  std::string settings() const {
    return "name: some.example., server: \"127.0.0.1:" +
           std::to_string(socket_.local_endpoint().port()) + "\"";
  }

 private:
  void serve(Way way) {
    while (true) {
      char packet[512];
      udp::endpoint from;
      const size_t size = socket_.receive_from(asio::buffer(packet), from);
      if (size < 12) return;
      if (way == Way::kSilent) continue;
      const size_t end = std::string_view(packet, size).find('\0', 12) + 5;
      const bool none = way == Way::kNoName;
      std::string answer(packet, 2);
      answer +=
          std::string{'\x85', none ? '\x83' : '\x80', 0, 1, 0, none ? '\0' : '\2', 0, 0, 0, 0};
      answer += std::string(packet + 12, end - 12);
      for (char last = 7; !none && last < 9; ++last)
        answer += std::string{'\xC0', 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, '\xC0', 0, 2, last};
      socket_.send_to(asio::buffer(answer), from);
    }
  }

  asio::io_context io_;
  udp::socket socket_;
  std::thread thread_;
};

class DnsCheckTest : public CheckTest {};

TEST_F(DnsCheckTest, JudgesTheAnswers) {
  const NameServer server(NameServer::Way::kAnswer);
  const auto said = [&](const std::string& more) {
    return text_of(run("dns", server.settings() + more));
  };
  EXPECT_THAT(said(""), HasSubstr("healthy: some.example. A: 192.0.2.7, 192.0.2.8"));
  EXPECT_THAT(said(", expect: [192.0.2.8]"), HasSubstr("healthy"));
  EXPECT_THAT(said(", expect: [192.0.2.9]"), HasSubstr("critical: 192.0.2.9 is missing"));
  EXPECT_THAT(said(", expect: [192.0.2.8], exact: true"),
              HasSubstr("critical: 192.0.2.7 is not expected"));
  EXPECT_THAT(said(", latency: {warn: 0s}"), HasSubstr("degraded: took "));
}

TEST_F(DnsCheckTest, ANameThatIsNotThereIsCritical) {
  const NameServer server(NameServer::Way::kNoName);
  EXPECT_EQ(text_of(run("dns", server.settings())), "critical: some.example. has no A records");
}

TEST_F(DnsCheckTest, AServerIsAnAddress) {
  EXPECT_THAT(problems("checks: [{name: a, type: dns, dns: {name: x, server: dns.example}}]"),
              HasSubstr("checks[0].dns.server: no name servers"));
  EXPECT_EQ(
      problems("checks: [{name: a, type: dns, dns: {name: x, server: \"[::1]:53,10.0.0.1\"}}]"),
      "");
}

TEST_F(DnsCheckTest, AServerThatNeverAnswersTakesTheTimeout) {
  const NameServer server(NameServer::Way::kSilent);
  const int64_t began = clock_.monotonic_ms();
  EXPECT_THAT(text_of(run("dns", server.settings(), 300)), HasSubstr("failed: "));
  EXPECT_LT(clock_.monotonic_ms() - began, 3'000);
}

}  // namespace
}  // namespace binnacle::watch::health
