#include "net/dns_query.h"

#include "net/coroutine_test_loop.h"

#include <gmock/gmock.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include <atomic>
#include <functional>
#include <thread>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

std::string wire_name(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(name.size(), dot + 1));
  }
  return out + '\0';
}

std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)};
}

// A name server of one thread that answers every question with the records it is given.
class NameServer {
 public:
  NameServer(unsigned code, unsigned type, std::vector<std::string> records)
      : socket_(io_, udp::endpoint(asio::ip::address_v4::loopback(), 0)),
        thread_([this, code, type, records = std::move(records)] { serve(code, type, records); }) {}
  ~NameServer() {
    udp::socket last(io_, udp::endpoint(asio::ip::address_v4::loopback(), 0));
    last.send_to(asio::buffer("x", 1), socket_.local_endpoint());  // one short packet ends it
    thread_.join();
  }
  DnsOptions options() const {
    return {.servers = "127.0.0.1:" + std::to_string(socket_.local_endpoint().port()),
            .timeout_ms = 200,
            .tries = 1};
  }

 private:
  void serve(unsigned code, unsigned type, const std::vector<std::string>& records) {
    while (true) {
      char packet[512];
      udp::endpoint from;
      const size_t size = socket_.receive_from(asio::buffer(packet), from);
      if (size < 12) return;
      const size_t end = std::string_view(packet, size).find('\0', 12) + 5;
      std::string answer(packet, 2);
      answer += u16(0x8580 | code) + u16(1) + u16(static_cast<unsigned>(records.size())) + u16(0) +
                u16(0) + std::string(packet + 12, end - 12);
      for (const std::string& record : records) {
        answer += u16(0xC00C) + u16(type) + u16(1) + u16(0) + u16(60) +
                  u16(static_cast<unsigned>(record.size())) + record;
      }
      socket_.send_to(asio::buffer(answer), from);
    }
  }

  asio::io_context io_;
  udp::socket socket_;
  std::thread thread_;
};

TEST(DnsQuery, ReadsEveryKindOfRecord) {
  const auto values = [](DnsType type, unsigned wire, std::vector<std::string> records) {
    const NameServer server(0, wire, std::move(records));
    const auto found = query_dns("some.example.", type, server.options());
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::string> out;
    for (const auto& record : found.value_or(std::vector<DnsRecord>())) {
      out.push_back(record.value + "/" + std::to_string(record.port));
    }
    return out;
  };
  using testing::ElementsAre;
  EXPECT_THAT(values(DnsType::kA, 1, {{10, 0, 0, 1}, {10, 0, 0, 2}}),
              ElementsAre("10.0.0.1/0", "10.0.0.2/0"));
  EXPECT_THAT(values(DnsType::kAaaa, 28, {std::string(15, '\0') + '\1'}), ElementsAre("::1/0"));
  EXPECT_THAT(values(DnsType::kSrv, 33, {u16(1) + u16(2) + u16(9100) + wire_name("a.example")}),
              ElementsAre("a.example/9100"));
  EXPECT_THAT(values(DnsType::kMx, 15, {u16(1) + wire_name("m.example")}),
              ElementsAre("m.example/0"));
  EXPECT_THAT(values(DnsType::kNs, 2, {wire_name("n.example")}), ElementsAre("n.example/0"));
}

TEST(DnsQuery, ANameThatIsNotThereHasNoRecords) {
  const NameServer server(3, 1, {});
  const auto found = query_dns("none.example.", DnsType::kSrv, server.options());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->empty());
}

TEST(DnsQuery, AServerThatFailsIsAnError) {
  const NameServer server(2, 1, {});
  const auto found = query_dns("some.example.", DnsType::kA, server.options());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::kUnavailable);
  EXPECT_THAT(found.error().message, testing::HasSubstr("some.example."));
}

TEST(DnsQuery, RecordsOfBrokenBytesAreAnError) {
  const NameServer server(0, 33, {"\1"});
  EXPECT_FALSE(query_dns("some.example.", DnsType::kSrv, server.options()));
}

TEST(DnsQuery, AsksWithoutAThreadThatWaits) {
  TestLoop loop;
  const NameServer server(0, 1, {std::string("\300\000\002\007", 4)});
  const auto found =
      loop.run(ask_dns("some.example.", DnsType::kA, server.options(), std::chrono::seconds(20)));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 1);
  EXPECT_EQ(found->front().value, "192.0.2.7");
  const NameServer none(3, 1, {});
  EXPECT_TRUE(
      loop.run(ask_dns("some.example.", DnsType::kA, none.options(), std::chrono::seconds(20)))
          ->empty());

  asio::io_context io;
  const udp::socket silent(io, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  DnsOptions options;
  options.servers = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  options.timeout_ms = 60'000;
  const auto late =
      loop.run(ask_dns("some.example.", DnsType::kA, options, std::chrono::milliseconds(50)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadlineExceeded);
}

TEST(DnsQuery, KnowsAListOfServers) {
  EXPECT_TRUE(check_dns_servers("10.0.0.2"));
  EXPECT_TRUE(check_dns_servers("10.0.0.2:5353,[::1]:53"));
  EXPECT_FALSE(check_dns_servers("dns.example"));
  EXPECT_FALSE(check_dns_servers("10.0.0.2:x"));
}

}  // namespace
}  // namespace binnacle::net
