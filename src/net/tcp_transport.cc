#include "net/tcp_transport.h"

#include "net/deadline.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

// How long shutdown() waits for the peer's own end, so that bytes which it still sends do not turn
// our last answer into a reset on its side.
constexpr std::chrono::milliseconds kLinger{1000};

template <typename Socket>
class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(Socket socket) : socket_(std::move(socket)) {
    error_code ignored;  // a socket that died already fails its first operation
    socket_.non_blocking(true, ignored);
  }

  asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override {
    return socket_.async_read_some(buffer, kAwait);
  }

  asio::awaitable<IoResult> write(asio::const_buffer first, asio::const_buffer second) override {
    std::array<asio::const_buffer, 2> rest{first, second};
    const size_t total = first.size() + second.size();
    size_t done = 0;
    while (done < total) {
      error_code error;
      const size_t n = socket_.write_some(rest, error);
      if (error == asio::error::would_block) {
        std::tie(error) = co_await socket_.async_wait(Socket::wait_write, kAwait);
        if (error) co_return IoResult{error, done};
        continue;
      }
      if (error) co_return IoResult{error, done};
      done += n;
      const size_t from_first = std::min(n, rest[0].size());
      rest[0] += from_first;
      rest[1] += n - from_first;
    }
    co_return IoResult{error_code{}, done};
  }

  IoResult try_write(asio::const_buffer first, asio::const_buffer second) override {
    error_code error;
    const size_t n = socket_.write_some(std::array<asio::const_buffer, 2>{first, second}, error);
    return {error, n};
  }

  void cancel() override {
    error_code ignored;
    socket_.cancel(ignored);
  }

  asio::awaitable<void> shutdown() override {
    error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    if (!error) {
      Deadline deadline(socket_.get_executor(), kLinger, [this] { close(); });
      char unwanted[4096];
      while (!error)
        std::tie(error, std::ignore) =
            co_await socket_.async_read_some(asio::buffer(unwanted), kAwait);
    }
    close();
  }

  void close() override {
    error_code ignored;
    socket_.close(ignored);
  }

  bool is_open() const override { return socket_.is_open(); }

  bool is_quiet() override {
    char byte;
    error_code error;
    socket_.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
    return error == asio::error::would_block;
  }

  asio::any_io_executor executor() override { return socket_.get_executor(); }
  Socket take() { return std::move(socket_); }

 private:
  Socket socket_;
};

}  // namespace

std::unique_ptr<Transport> make_tcp_transport(asio::ip::tcp::socket socket) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  return std::make_unique<SocketTransport<asio::ip::tcp::socket>>(std::move(socket));
}

std::unique_ptr<Transport> make_unix_transport(asio::local::stream_protocol::socket socket) {
  return std::make_unique<SocketTransport<asio::local::stream_protocol::socket>>(std::move(socket));
}

std::optional<asio::ip::tcp::socket> take_tcp_socket(Transport& transport) {
  auto* tcp = dynamic_cast<SocketTransport<asio::ip::tcp::socket>*>(&transport);
  if (tcp == nullptr) return std::nullopt;
  return tcp->take();
}

}  // namespace binnacle::net
