// For tests of coroutines: one io_context on the test's own thread, so that both ends of a
// connection run in an order that no other thread disturbs. A wait that lasts twenty seconds ends
// the test program.
#pragma once

#include "base/check.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace binnacle::net {

inline constexpr auto kTestAwait = boost::asio::as_tuple(boost::asio::use_awaitable);

class TestLoop {
 public:
  boost::asio::io_context& io() { return io_; }

  // Runs everything until `task` has ended.
  template <typename T>
  T run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(io_, std::move(task),
                          [&result](const std::exception_ptr& thrown, T value) {
                            CHECK(thrown == nullptr);
                            result.emplace(std::move(value));
                          });
    run_until([&result] { return result.has_value(); });
    return std::move(*result);
  }

  void run(boost::asio::awaitable<void> task) {
    bool ended = false;
    boost::asio::co_spawn(io_, std::move(task), [&ended](const std::exception_ptr& thrown) {
      CHECK(thrown == nullptr);
      ended = true;
    });
    run_until([&ended] { return ended; });
  }

  void run_until(const std::function<bool()>& condition) {
    while (!condition()) {
      io_.restart();
      CHECK(io_.run_one_for(std::chrono::seconds(20)) == 1);
    }
  }

  // Runs beside whatever is waited for.
  void start(boost::asio::awaitable<void> task) {
    boost::asio::co_spawn(io_, std::move(task), boost::asio::detached);
  }

 private:
  boost::asio::io_context io_{1};
};

using TestSocket = boost::asio::ip::tcp::socket;

// A TCP server that says what its script says, well or badly. The script gets each connection with
// its number, from 0; the connection closes when it returns.
class ScriptedPeer {
 public:
  using Script = std::function<boost::asio::awaitable<void>(TestSocket& socket, int number)>;

  ScriptedPeer(TestLoop& loop, Script script)
      : script_(std::make_shared<const Script>(std::move(script))),
        acceptor_(loop.io(), {boost::asio::ip::address_v4::loopback(), 0}),
        port_(acceptor_.local_endpoint().port()) {
    loop.start(accept());
  }

  uint16_t port() const { return port_; }
  std::string url(const std::string& target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + target;
  }
  int connections() const { return connections_; }

 private:
  boost::asio::awaitable<void> accept() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(kTestAwait);
      if (error) co_return;
      const auto executor = acceptor_.get_executor();
      boost::asio::co_spawn(executor, serve(script_, std::move(socket), connections_++),
                            boost::asio::detached);
    }
  }
  static boost::asio::awaitable<void> serve(std::shared_ptr<const Script> script, TestSocket socket,
                                            int number) {
    co_await (*script)(socket, number);
  }

  const std::shared_ptr<const Script> script_;  // shared with connections that outlive this object
  boost::asio::ip::tcp::acceptor acceptor_;
  const uint16_t port_;
  int connections_ = 0;
};

// A request's head and as much body as Content-Length says; "" when the client closed instead.
inline boost::asio::awaitable<std::string> read_request(TestSocket& socket) {
  std::string text;
  size_t wanted = std::string::npos;
  while (text.size() < wanted) {
    char piece[4096];
    const auto [error, size] =
        co_await socket.async_read_some(boost::asio::buffer(piece), kTestAwait);
    if (error) co_return std::string();
    text.append(piece, size);
    const size_t end = text.find("\r\n\r\n");
    if (wanted != std::string::npos || end == std::string::npos) continue;
    const size_t length = text.find("Content-Length: ");
    wanted = end + 4 + (length < end ? std::stoul(text.substr(length + 16)) : 0);
  }
  co_return text;
}

inline boost::asio::awaitable<void> say(TestSocket& socket, std::string_view text) {
  co_await boost::asio::async_write(socket, boost::asio::buffer(text), kTestAwait);
}

// True when the client closes, false when it says something.
inline boost::asio::awaitable<bool> client_closes(TestSocket& socket) {
  char byte;
  const auto [error, size] =
      co_await socket.async_read_some(boost::asio::buffer(&byte, 1), kTestAwait);
  co_return bool(error);
}

}  // namespace binnacle::net
