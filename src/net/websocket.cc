#include "net/websocket.h"

#include "base/check.h"
#include "base/random.h"
#include "net/deadline.h"
#include "net/websocket_frames.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr size_t kReadBytes = 4 * 1024;  // each open connection holds as much
// Below, deflate saves nothing; above, it would hold the I/O thread for more than about a
// millisecond.
constexpr size_t kCompressFrom = 64;
constexpr size_t kCompressTo = 64 * 1024;

// The connection itself. Shared because a ping's coroutine may still be writing when the owner lets
// go.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(WebSocketSide side, std::unique_ptr<Transport> transport,
          const std::optional<DeflateParameters>& deflate, std::string_view read_ahead,
          WebSocketLimits limits)
      : side_(side),
        limits_(limits),
        transport_(std::move(transport)),
        frames_(side, deflate, limits.max_message_bytes),
        deflater_(deflate ? std::make_unique<MessageDeflater>(*deflate) : nullptr),
        turn_(transport_->executor(), asio::steady_timer::time_point::max()),
        idle_timer_(transport_->executor()) {
    frames_.feed(read_ahead);
  }

  void start() { arm_idle_timer(); }

  asio::awaitable<Result<WebSocketMessage>> read() {
    auto got = co_await read_while([] { return false; });
    if (!got) co_return fail(std::move(got).error());
    co_return WebSocketMessage{frames_.message_is_text(), frames_.take_message(),
                               transport_->received_ns()};
  }

  asio::awaitable<Error> read_each(std::function<void(const WebSocket::MessageView&)> take) {
    auto ended = co_await read_while([this, &take] {
      take({frames_.message_is_text(), frames_.message(), transport_->received_ns()});
      return true;
    });
    co_return std::move(ended).error();
  }

  // Until a message has come after which `more` wants none; it stands in frames_ then.
  asio::awaitable<Status> read_while(std::function<bool()> more) {
    CHECK(!reading_);
    const auto self = shared_from_this();
    const Reading reading(*this);
    while (!ended_) {
      const auto event = frames_.next();
      if (!event) {
        co_await send_close(frames_.failure_code(), event.error().message);
        co_await end();
        co_return fail(event.error());
      }
      switch (*event) {
        case FrameReader::Event::kMessage:
          // What still comes after our close has nobody to read it.
          if (!close_sent_ && !more()) co_return Status();
          break;
        case FrameReader::Event::kPing:
          if (!close_sent_) co_await write(Opcode::kPong, std::string(frames_.control_payload()));
          break;
        case FrameReader::Event::kPong:
          break;
        case FrameReader::Event::kClose:
          co_return co_await answer_close();
        case FrameReader::Event::kNeedBytes: {
          if (!read_buffer_) read_buffer_ = std::make_unique<std::array<char, kReadBytes>>();
          const auto [error, size] = co_await transport_->read_some(asio::buffer(*read_buffer_));
          if (error) co_return failed_read(error);
          heard_ = true;
          frames_.feed({read_buffer_->data(), size});
          break;
        }
      }
    }
    co_return fail(Code::kCancelled, "WebSocket read: the connection is closed");
  }

  asio::awaitable<Status> write(Opcode opcode, std::string_view payload) {
    const auto self = shared_from_this();
    ++waiting_writers_;
    while (writing_) co_await turn_.async_wait(kAwait);
    --waiting_writers_;
    if (ended_ || (close_sent_ && opcode != Opcode::kClose)) {
      co_return fail(Code::kCancelled, "WebSocket write: the connection is closed");
    }
    writing_ = true;
    auto written = co_await write_frame(opcode, payload);
    end_of_write(written);
    co_return written;
  }

  bool try_write(Opcode opcode, std::string_view payload) {
    // What a deflater has taken cannot be taken back, and nobody who waits is overtaken.
    if (writing_ || waiting_writers_ > 0 || closed() || deflater_) return false;
    std::string head;
    begin_frame(opcode, false, payload, head);
    std::string_view first = head;
    const size_t whole = first.size() + payload.size();
    write_at_once(first, payload);
    const size_t left = first.size() + payload.size();
    if (left == 0 || left == whole) return left == 0;
    writing_ = true;
    std::string rest(first);
    rest += payload;
    asio::co_spawn(transport_->executor(), write_rest(shared_from_this(), std::move(rest)),
                   asio::detached);
    return true;
  }

  asio::awaitable<void> close(uint16_t code, std::string_view reason) {
    const auto self = shared_from_this();
    if (ended_) co_return;
    Deadline deadline(transport_->executor(), milliseconds(limits_.close_timeout_ms),
                      [this] { drop(); });
    co_await send_close(code, reason);
    while (!ended_) {
      if (reading_) {
        co_await turn_.async_wait(kAwait);
      } else if (auto message = co_await read(); !message) {
        break;
      }
    }
  }

  void drop() {
    ended_ = true;
    transport_->close();
    idle_timer_.cancel();
    turn_.cancel();
  }

  bool closed() const { return ended_ || close_sent_; }

 private:
  // While read() is under way.
  class Reading {
   public:
    explicit Reading(Session& session) : session_(session) { session_.reading_ = true; }
    ~Reading() {
      session_.reading_ = false;
      session_.turn_.cancel();
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

   private:
    Session& session_;
  };

  Unexpected failed_read(const boost::system::error_code& error) {
    const bool was_closed = closed();
    drop();
    if (fell_silent_) {
      return fail(Code::kDeadlineExceeded, "WebSocket read: the peer is silent (" +
                                               std::to_string(limits_.idle_timeout_ms) + " ms)");
    }
    if (was_closed) return fail(Code::kCancelled, "WebSocket read: the connection is closed");
    return fail(Code::kUnavailable, "WebSocket read: connection lost: " + error.message());
  }

  asio::awaitable<Status> answer_close() {
    const uint16_t code = frames_.peer_close_code();
    const std::string reason(frames_.control_payload());
    co_await send_close(code == close_code::kNone ? close_code::kNormal : code, {});
    co_await end();
    co_return fail(Code::kCancelled, "WebSocket closed by the peer: code " + std::to_string(code) +
                                         (reason.empty() ? "" : " (" + reason + ")"));
  }

  asio::awaitable<void> send_close(uint16_t code, std::string_view reason) {
    if (close_sent_ || ended_) co_return;
    close_sent_ = true;
    co_await write(Opcode::kClose, close_payload(code, reason));
  }

  asio::awaitable<void> end() {
    while (writing_ && !ended_) co_await turn_.async_wait(kAwait);
    if (!ended_) co_await transport_->shutdown();
    drop();
  }

  // With writing_ held.
  asio::awaitable<Status> write_frame(Opcode opcode, std::string_view payload) {
    const bool data = opcode == Opcode::kText || opcode == Opcode::kBinary;
    const bool compress =
        data && deflater_ && payload.size() >= kCompressFrom && payload.size() <= kCompressTo;
    std::string coded;
    if (compress) {
      deflater_->compress(payload, coded);
      payload = coded;
    }
    std::string head;
    begin_frame(opcode, compress, payload, head);
    co_return co_await write_bytes(head, payload);
  }

  // `head` holds the frame up to the payload, or all of it; what is left of `payload` follows.
  void begin_frame(Opcode opcode, bool compressed, std::string_view& payload, std::string& head) {
    const bool masked = side_ == WebSocketSide::kClient;
    append_frame_header(opcode, compressed, payload.size(), masked, head);
    if (!masked) return;
    // Must not be guessed (RFC 6455, 10.3), so it is the kernel's and no seed's.
    append_masked(payload, static_cast<uint32_t>(SystemRandom().next()), head);
    payload = {};
  }

  // What the kernel takes now; both are left with the rest.
  void write_at_once(std::string_view& first, std::string_view& second) {
    const size_t sent =
        std::get<1>(transport_->try_write(asio::buffer(first), asio::buffer(second)));
    const size_t of_first = std::min(sent, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(sent - of_first);
  }

  // With writing_ held.
  asio::awaitable<Status> write_bytes(std::string_view first, std::string_view second) {
    write_at_once(first, second);
    if (first.empty() && second.empty()) co_return Status{};
    Deadline deadline(transport_->executor(), milliseconds(limits_.write_timeout_ms),
                      [this] { drop(); });
    const auto [error, size] =
        co_await transport_->write(asio::buffer(first), asio::buffer(second));
    if (!error) co_return Status{};
    if (deadline.expired()) {
      co_return fail(Code::kDeadlineExceeded, "WebSocket write: the peer takes nothing (" +
                                                  std::to_string(limits_.write_timeout_ms) +
                                                  " ms)");
    }
    if (closed()) co_return fail(Code::kCancelled, "WebSocket write: the connection is closed");
    co_return fail(Code::kUnavailable, "WebSocket write: connection lost: " + error.message());
  }

  void end_of_write(const Status& written) {
    writing_ = false;
    if (!written) drop();
    turn_.cancel();
  }

  static asio::awaitable<void> write_rest(std::shared_ptr<Session> self, std::string rest) {
    self->end_of_write(co_await self->write_bytes(rest, {}));
  }

  void arm_idle_timer() {
    idle_timer_.expires_after(milliseconds(limits_.idle_timeout_ms) / 2);
    idle_timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
      if (cancelled) return;
      if (const auto self = weak.lock()) self->on_idle_tick();
    });
  }

  void on_idle_tick() {
    if (ended_) return;
    // Without a reader nothing can be heard, so silence says nothing then.
    if (heard_ || !reading_) {
      heard_ = false;
      silent_ticks_ = 0;
    } else if (++silent_ticks_ == 1) {
      asio::co_spawn(transport_->executor(), ping(shared_from_this()), asio::detached);
    } else {
      fell_silent_ = true;
      transport_->close();
      return;
    }
    arm_idle_timer();
  }

  static asio::awaitable<void> ping(std::shared_ptr<Session> self) {
    co_await self->write(Opcode::kPing, {});
  }

  const WebSocketSide side_;      // Fixed after construction
  const WebSocketLimits limits_;  // Fixed after construction

  // I/O thread only
  std::unique_ptr<Transport> transport_;
  FrameReader frames_;
  const std::unique_ptr<MessageDeflater> deflater_;  // null without the extension
  std::unique_ptr<std::array<char, kReadBytes>> read_buffer_;
  asio::steady_timer turn_;  // never expires: cancelling it wakes those who wait for a change below
  bool reading_ = false;
  bool writing_ = false;
  size_t waiting_writers_ = 0;
  bool close_sent_ = false;
  bool ended_ = false;
  asio::steady_timer idle_timer_;
  bool heard_ = true;
  bool fell_silent_ = false;
  int silent_ticks_ = 0;
};

class SessionSocket final : public WebSocket {
 public:
  explicit SessionSocket(std::shared_ptr<Session> session) : session_(std::move(session)) {
    session_->start();
  }
  ~SessionSocket() override { session_->drop(); }

  asio::awaitable<Result<WebSocketMessage>> read() override { return session_->read(); }
  asio::awaitable<Error> read_each(std::function<void(const MessageView&)> take) override {
    return session_->read_each(std::move(take));
  }
  asio::awaitable<Status> write_text(std::string_view data) override {
    return session_->write(Opcode::kText, data);
  }
  asio::awaitable<Status> write_binary(std::string_view data) override {
    return session_->write(Opcode::kBinary, data);
  }
  bool try_write_binary(std::string_view data) override {
    return session_->try_write(Opcode::kBinary, data);
  }
  asio::awaitable<void> close(uint16_t code, std::string_view reason) override {
    return session_->close(code, reason);
  }
  bool closed() const override { return session_->closed(); }

 private:
  const std::shared_ptr<Session> session_;
};

}  // namespace

asio::awaitable<Result<std::unique_ptr<WebSocket>>> accept_websocket(
    std::unique_ptr<Transport> transport, WebSocketAnswer answer, std::string read_ahead,
    WebSocketLimits limits) {
  Deadline deadline(transport->executor(), milliseconds(limits.write_timeout_ms),
                    [&transport] { transport->close(); });
  const auto [error, size] = co_await transport->write(asio::buffer(answer.response_head), {});
  if (error)
    co_return fail(Code::kUnavailable, "WebSocket answer: connection lost: " + error.message());
  deadline.on_expiry(nullptr);
  co_return std::make_unique<SessionSocket>(std::make_shared<Session>(
      WebSocketSide::kServer, std::move(transport), answer.deflate, read_ahead, limits));
}

std::unique_ptr<WebSocket> make_client_websocket(std::unique_ptr<Transport> transport,
                                                 std::optional<DeflateParameters> deflate,
                                                 std::string_view read_ahead,
                                                 WebSocketLimits limits) {
  return std::make_unique<SessionSocket>(std::make_shared<Session>(
      WebSocketSide::kClient, std::move(transport), deflate, read_ahead, limits));
}

}  // namespace binnacle::net
