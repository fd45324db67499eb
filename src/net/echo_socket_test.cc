#include "net/echo_socket.h"

#include "net/coroutine_test_loop.h"
#include "net/echo_datagram.h"
#include "net/sender_rates.h"

#include <boost/asio/ip/udp.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace binnacle::net {
namespace {

using std::chrono::milliseconds;
using udp = boost::asio::ip::udp;

const std::string kKey = "a key of 16 byte";

TEST(EchoDatagram, BytesAreThoseOfTheFormat) {
  const std::string bytes = write_echo({EchoKind::kReply, 0x0102030405060708, 9}, kKey);
  ASSERT_EQ(bytes.size(), kEchoDatagramBytes);
  EXPECT_EQ(bytes.substr(0, 18),
            std::string("BNEC\x01\x02\x08\x07\x06\x05\x04\x03\x02\x01\x09\0\0\0", 18));
  EXPECT_EQ(read_echo(bytes, kKey), (EchoDatagram{EchoKind::kReply, 0x0102030405060708, 9}));
}

TEST(EchoDatagram, EveryChangedBitIsSeen) {
  const std::string bytes = write_echo({EchoKind::kRequest, 7, 1}, kKey);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(read_echo(changed, kKey)) << bit;
  }
  EXPECT_EQ(read_echo(bytes, "another 16 bytes").error(), EchoFlaw::kMac);
  EXPECT_EQ(read_echo(bytes.substr(1), kKey).error(), EchoFlaw::kLength);
  EXPECT_EQ(read_echo(bytes + "x", kKey).error(), EchoFlaw::kLength);
  EXPECT_EQ(read_echo("XNEC" + bytes.substr(4), kKey).error(), EchoFlaw::kMagic);
  EXPECT_EQ(read_echo("BNEC\x02" + bytes.substr(5), kKey).error(), EchoFlaw::kVersion);
  EXPECT_EQ(read_echo("BNEC\x01\x03" + bytes.substr(6), kKey).error(), EchoFlaw::kKind);
}

TEST(SenderRates, EachSenderHasItsShare) {
  SenderRates rates(10, 2, 2);
  constexpr int64_t kTenth = 100'000'000;
  EXPECT_TRUE(rates.take("a", 0));
  EXPECT_TRUE(rates.take("a", 0));
  EXPECT_FALSE(rates.take("a", 0));
  EXPECT_TRUE(rates.take("b", 0));
  EXPECT_TRUE(rates.take("a", kTenth));
  EXPECT_FALSE(rates.take("a", kTenth));
  EXPECT_TRUE(rates.take("b", kTenth));
  EXPECT_FALSE(rates.take("c", kTenth)) << "two are busy";
  EXPECT_TRUE(rates.take("c", 10 * kTenth)) << "those are forgotten";
}

class EchoSocketTest : public testing::Test {
 protected:
  std::unique_ptr<EchoSocket> open(const std::string& address, const EchoOptions& options = {}) {
    auto opened = EchoSocket::open(loop_.io(), address, clock_, random_, registry_, options);
    EXPECT_TRUE(opened) << opened.error().message;
    (*opened)->set_key(kKey);
    return std::move(*opened);
  }
  double dropped(const std::string& reason) {
    return registry_
        .counter("binnacle_echo_dropped_total",
                 "Datagrams that came to the echo socket and were not taken, by reason.",
                 {{"reason", reason}})
        .value();
  }
  EchoSocket::OnProgress told() {
    return [this](const EchoProgress& progress) { told_.push_back(progress); };
  }
  void run_until_done(size_t ends = 1) {
    loop_.run_until([this, ends] {
      return static_cast<size_t>(std::count_if(told_.begin(), told_.end(),
                                               [](const auto& one) { return one.done; })) >= ends;
    });
  }
  // Sends `bytes` from a socket of its own.
  void send_raw(EchoSocket& to, const std::string& bytes) {
    udp::socket socket(loop_.io(), udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    const std::string address = to.address();
    const auto port = static_cast<uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
    socket.send_to(boost::asio::buffer(bytes),
                   udp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  }

  TestLoop loop_;
  SystemClock clock_;
  SeededRandom random_{1};
  Registry registry_;
  std::vector<EchoProgress> told_;
};

TEST_F(EchoSocketTest, ALivingPeerAnswersEveryRequest) {
  const auto asks = open("127.0.0.1:0");
  const auto answers = open("127.0.0.1:0");
  ASSERT_TRUE(asks->start(answers->address(), milliseconds(5), milliseconds(15), told()));
  run_until_done();
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].answered, 1U);
  EXPECT_FALSE(told_[0].done);
  EXPECT_TRUE(told_[1].done);
  EXPECT_GE(told_[1].sent, 1U);
  EXPECT_LE(told_[1].sent, 3U);
  EXPECT_GT(told_[1].round_trip_ns, 0);
}

TEST_F(EchoSocketTest, WorksBetweenTheFamiliesAndWithinEach) {
  constexpr milliseconds kOnce{250};  // one request, and long for its answer
  const auto all = open(":0");
  const auto four = open("127.0.0.1:0");
  EXPECT_EQ(all->address()[0], ':');
  ASSERT_TRUE(all->start(four->address(), kOnce, kOnce, told()));
  run_until_done(1);
  ASSERT_TRUE(four->start("127.0.0.1" + all->address(), kOnce, kOnce, told()));
  run_until_done(2);
  size_t answered = 2;
  if (EchoSocket::open(loop_.io(), "[::1]:0", clock_, random_, registry_)) {
    const auto six = open("[::1]:0");
    ASSERT_TRUE(all->start(six->address(), kOnce, kOnce, told()));
    run_until_done(3);
    EXPECT_FALSE(four->start(six->address(), kOnce, kOnce, told()));
    ++answered;
  }
  EXPECT_EQ(std::count_if(told_.begin(), told_.end(),
                          [](const auto& one) { return one.done && one.answered == 1; }),
            answered);
}

TEST_F(EchoSocketTest, ADeadPeerIsToldAtTheEnd) {
  const auto asks = open("127.0.0.1:0");
  std::string nowhere;
  nowhere = open("127.0.0.1:0")->address();
  loop_.io().poll();
  ASSERT_TRUE(asks->start(nowhere, milliseconds(5), milliseconds(10), told()));
  run_until_done();
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_GE(told_[0].sent, 1U);
  EXPECT_EQ(told_[0].answered, 0U);
}

TEST_F(EchoSocketTest, AnotherKeyIsNotAnswered) {
  const auto asks = open("127.0.0.1:0");
  const auto answers = open("127.0.0.1:0");
  answers->set_key("a key of others.");
  ASSERT_TRUE(asks->start(answers->address(), milliseconds(1), milliseconds(1), told()));
  run_until_done();
  EXPECT_EQ(told_.back().answered, 0U);
  EXPECT_EQ(dropped("mac"), 1);
  answers->set_key("short");
  ASSERT_TRUE(asks->start(answers->address(), milliseconds(1), milliseconds(1), told()));
  run_until_done(2);
  EXPECT_EQ(dropped("no_key"), 1);
  EXPECT_FALSE(answers->start(asks->address(), milliseconds(1), milliseconds(1), told()));
}

TEST_F(EchoSocketTest, ACancelledQuestionEndsAtOnce) {
  const auto asks = open("127.0.0.1:0");
  const auto answers = open("127.0.0.1:0");
  const auto id =
      asks->start(answers->address(), milliseconds(10'000), milliseconds(30'000), told());
  ASSERT_TRUE(id);
  loop_.run_until([this] { return !told_.empty(); });
  asks->cancel(*id);
  run_until_done();
  EXPECT_EQ(told_.back().sent, 1U);
  asks->cancel(*id);
  loop_.io().poll();
  EXPECT_EQ(told_.size(), 2U) << "one end";
}

TEST_F(EchoSocketTest, WhatIsNoEchoIsDroppedAndCounted) {
  const auto socket = open("127.0.0.1:0");
  send_raw(*socket, "");
  send_raw(*socket, std::string(2000, 'x'));
  send_raw(*socket, std::string(kEchoDatagramBytes, 'x'));
  send_raw(*socket, write_echo({EchoKind::kReply, 7, 1}, kKey));
  loop_.run_until([this] { return dropped("late") == 1; });
  EXPECT_EQ(dropped("length"), 2);
  EXPECT_EQ(dropped("magic"), 1);
}

TEST_F(EchoSocketTest, ASendersShareIsBounded) {
  const auto socket = open("127.0.0.1:0", {.answers_per_second = 0.001, .answer_burst = 2});
  for (uint32_t number = 1; number <= 5; ++number) {
    send_raw(*socket, write_echo({EchoKind::kRequest, 7, number}, kKey));
  }
  loop_.run_until([this] { return dropped("rate") == 3; });
  EXPECT_EQ(registry_.counter("binnacle_echo_answered_total", "Echo requests that were answered.")
                .value(),
            2);
}

TEST_F(EchoSocketTest, OnesOwnRequestIsNoSignOfLife) {
  const auto asks = open("127.0.0.1:0");
  ASSERT_TRUE(asks->start(asks->address(), milliseconds(5), milliseconds(5), told()));
  run_until_done();
  EXPECT_EQ(told_.back().answered, 0U);
  EXPECT_EQ(dropped("reflected"), 1);
}

TEST_F(EchoSocketTest, OnlyOneHostIsAskedAndNotTooManyAtATime) {
  const auto asks = open(":0", {.max_running = 1});
  for (const char* address : {"localhost:7", "0.0.0.0:7", "255.255.255.255:7", "224.0.0.1:7",
                              "[ff02::1]:7", "127.0.0.1:0", ":7", "127.0.0.1", "unix:/x", ""}) {
    EXPECT_FALSE(asks->start(address, milliseconds(1), milliseconds(1), told())) << address;
  }
  ASSERT_TRUE(asks->start("127.0.0.1:9", milliseconds(1), milliseconds(1), told()));
  const auto second = asks->start("127.0.0.1:9", milliseconds(1), milliseconds(1), told());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kResourceExhausted);
  run_until_done();
  EXPECT_TRUE(asks->start("127.0.0.1:9", milliseconds(1), milliseconds(1), told()));
}

TEST_F(EchoSocketTest, AnAddressThatCannotBeHadIsNamed) {
  const auto bad = EchoSocket::open(loop_.io(), "nowhere:7", clock_, random_, registry_);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kInvalidArgument);
  const auto first = open("127.0.0.1:0");
  const auto taken = EchoSocket::open(loop_.io(), first->address(), clock_, random_, registry_);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kFailedPrecondition);
  EXPECT_NE(taken.error().message.find(first->address()), std::string::npos);
}

}  // namespace
}  // namespace binnacle::net
