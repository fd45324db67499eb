#include "net/gathered_reads.h"

#include "base/clock.h"
#include "net/coroutine_test_loop.h"
#include "net/tcp_transport.h"

#include <gtest/gtest.h>
#include <boost/asio/read.hpp>

#include <string>
#include <vector>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

class GatheredReadsTest : public testing::Test {
 protected:
  struct Pair {
    std::unique_ptr<Transport> ours;
    TestSocket peer;
  };

  Pair connect() {
    Tcp::acceptor acceptor(loop_.io(), {asio::ip::address_v4::loopback(), 0});
    TestSocket peer(loop_.io());
    peer.connect(acceptor.local_endpoint());
    return {gather_reads(make_tcp_transport(acceptor.accept()), loop_.io()), std::move(peer)};
  }

  Transport::IoResult read(Transport& transport, std::string& into) {
    into.resize(64);
    const auto result = loop_.run(transport.read_some(asio::buffer(into)));
    into.resize(std::get<1>(result));
    return result;
  }

  void read_beside(Transport& transport, std::string& into, Transport::IoResult& result) {
    into.resize(64);
    loop_.start([](Transport& t, std::string& i, Transport::IoResult& r,
                   int& done) -> asio::awaitable<void> {
      r = co_await t.read_some(asio::buffer(i));
      ++done;
    }(transport, into, result, done_));
    loop_.io().restart();
    loop_.io().poll();
  }

  TestLoop loop_;
  int done_ = 0;
};

TEST_F(GatheredReadsTest, SaysWhatCameAndWhenTheKernelHadIt) {
  Pair pair = connect();
  int64_t before_ns = 0;
  int64_t after_ns = 0;
  // The kernel begins to note times some moments after the first socket asked for them.
  constexpr int kTries = 200;
  for (int i = 0; i < kTries && pair.ours->received_ns() == 0; ++i) {
    before_ns = SystemClock().wall_ns();
    asio::write(pair.peer, asio::buffer(std::string_view("beat")));
    after_ns = SystemClock().wall_ns();
    std::string text;
    ASSERT_FALSE(std::get<0>(read(*pair.ours, text)));
    EXPECT_EQ(text, "beat");
  }
  EXPECT_GE(pair.ours->received_ns(), before_ns - 1'000'000);
  EXPECT_LE(pair.ours->received_ns(), after_ns + 1'000'000) << "not when it was read";
}

TEST_F(GatheredReadsTest, OneTurnReadsAllThatAreReady) {
  std::vector<Pair> pairs;
  std::vector<std::string> texts(40);
  std::vector<Transport::IoResult> results(40);
  for (size_t i = 0; i < texts.size(); ++i) pairs.push_back(connect());
  for (size_t i = 0; i < texts.size(); ++i) read_beside(*pairs[i].ours, texts[i], results[i]);
  for (size_t i = 0; i < texts.size(); ++i)
    asio::write(pairs[i].peer, asio::buffer(std::to_string(i)));
  loop_.run_until([this] { return done_ > 0; });
  EXPECT_EQ(done_, 40);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i].substr(0, std::get<1>(results[i])), std::to_string(i));
  }
}

TEST_F(GatheredReadsTest, WhatIsLargerThanTheBufferComesInPieces) {
  Pair pair = connect();
  asio::write(pair.peer, asio::buffer(std::string(100, 'x')));
  std::string first;
  std::string second;
  read(*pair.ours, first);
  read(*pair.ours, second);
  EXPECT_EQ(first.size() + second.size(), 100U);
}

TEST_F(GatheredReadsTest, ThePeersEndIsAnEnd) {
  Pair pair = connect();
  pair.peer.close();
  std::string text;
  EXPECT_EQ(std::get<0>(read(*pair.ours, text)), asio::error::eof);
}

TEST_F(GatheredReadsTest, AnEndThatCameWithTheLastBytesIsSeen) {
  Pair pair = connect();
  asio::write(pair.peer, asio::buffer(std::string_view("last")));
  pair.peer.close();
  std::string text;
  EXPECT_FALSE(std::get<0>(read(*pair.ours, text)));
  EXPECT_EQ(text, "last");
  EXPECT_EQ(std::get<0>(read(*pair.ours, text)), asio::error::eof);
}

TEST_F(GatheredReadsTest, WhatCameBeforeAnybodyReadIsRead) {
  Pair pair = connect();
  std::string text;
  asio::write(pair.peer, asio::buffer(std::string_view("1")));
  EXPECT_FALSE(std::get<0>(read(*pair.ours, text)));
  Pair other = connect();
  asio::write(pair.peer, asio::buffer(std::string_view("2")));
  asio::write(other.peer, asio::buffer(std::string_view("3")));
  EXPECT_FALSE(std::get<0>(read(*other.ours, text))) << "a turn in which nobody waits for the 2";
  EXPECT_FALSE(std::get<0>(read(*pair.ours, text)));
  EXPECT_EQ(text, "2");
}

TEST_F(GatheredReadsTest, AReadThatIsCancelledEndsAndTheNextWorks) {
  Pair pair = connect();
  std::string text;
  Transport::IoResult result;
  read_beside(*pair.ours, text, result);
  pair.ours->cancel();
  loop_.run_until([this] { return done_ == 1; });
  EXPECT_EQ(std::get<0>(result), asio::error::operation_aborted);
  asio::write(pair.peer, asio::buffer(std::string_view("more")));
  EXPECT_FALSE(std::get<0>(read(*pair.ours, text)));
  EXPECT_EQ(text, "more");
}

TEST_F(GatheredReadsTest, AClosedOneReadsNothing) {
  Pair pair = connect();
  std::string text;
  Transport::IoResult result;
  read_beside(*pair.ours, text, result);
  pair.ours->close();
  EXPECT_FALSE(pair.ours->is_open());
  loop_.run_until([this] { return done_ == 1; });
  EXPECT_EQ(std::get<0>(result), asio::error::operation_aborted);
  EXPECT_EQ(std::get<0>(read(*pair.ours, text)), asio::error::bad_descriptor);
  EXPECT_TRUE(std::get<0>(pair.ours->try_write(asio::buffer(text), {})));
}

TEST_F(GatheredReadsTest, AWriteWaitsForAPeerThatReadsLate) {
  Pair pair = connect();
  const std::string much(size_t{8} << 20, 'm');
  Transport::IoResult result;
  loop_.start([](Transport& t, const std::string& m, Transport::IoResult& r,
                 int& done) -> asio::awaitable<void> {
    r = co_await t.write(asio::buffer("ab", 2), asio::buffer(m));
    ++done;
  }(*pair.ours, much, result, done_));
  loop_.io().restart();
  loop_.io().poll();
  EXPECT_EQ(done_, 0) << "the kernel took it all";
  std::string got(much.size() + 2, '\0');
  loop_.run([](TestSocket& peer, std::string& into) -> asio::awaitable<void> {
    co_await asio::async_read(peer, asio::buffer(into), kTestAwait);
  }(pair.peer, got));
  loop_.run_until([this] { return done_ == 1; });
  EXPECT_EQ(std::get<1>(result), got.size());
  EXPECT_EQ(got, "ab" + much);
}

TEST_F(GatheredReadsTest, AnEndIsSaidPolitely) {
  Pair pair = connect();
  char byte;
  boost::system::error_code seen;
  loop_.start(
      [](TestSocket& peer, char& b, boost::system::error_code& error) -> asio::awaitable<void> {
        error = std::get<0>(co_await peer.async_read_some(asio::buffer(&b, 1), kTestAwait));
        peer.close();
      }(pair.peer, byte, seen));
  loop_.run(pair.ours->shutdown());
  EXPECT_EQ(seen, asio::error::eof);
  EXPECT_FALSE(pair.ours->is_open());
}

TEST_F(GatheredReadsTest, OfTwoOneMayCloseTheOtherInItsTurn) {
  Pair first = connect();
  Pair second = connect();
  const auto close_other = [](Transport& mine, Transport& other,
                              int& done) -> asio::awaitable<void> {
    char byte;
    const auto [error, bytes] = co_await mine.read_some(asio::buffer(&byte, 1));
    if (!error) other.close();
    ++done;
  };
  loop_.start(close_other(*first.ours, *second.ours, done_));
  loop_.start(close_other(*second.ours, *first.ours, done_));
  asio::write(first.peer, asio::buffer(std::string_view("1")));
  asio::write(second.peer, asio::buffer(std::string_view("2")));
  loop_.run_until([this] { return done_ == 2; });
  EXPECT_NE(first.ours->is_open(), second.ours->is_open());
}

TEST(GatheredReads, CoroutinesThatWaitEndWithTheirContext) {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = alive;
  {
    TestLoop loop;
    Tcp::acceptor acceptor(loop.io(), {asio::ip::address_v4::loopback(), 0});
    TestSocket peer(loop.io());
    peer.connect(acceptor.local_endpoint());
    loop.start(
        [](std::unique_ptr<Transport> ours, std::shared_ptr<int> held) -> asio::awaitable<void> {
          char byte;
          co_await ours->read_some(asio::buffer(&byte, 1));
          *held = 1;
        }(gather_reads(make_tcp_transport(acceptor.accept()), loop.io()), std::move(alive)));
    loop.io().poll();
    EXPECT_FALSE(seen.expired());
  }
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace binnacle::net
