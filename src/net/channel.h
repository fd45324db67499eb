// One connection's bytes: what was received, what waits to be sent, and the watch over a peer that
// is slow either way. A wait is only noted down; the shard's tick looks at all of its channels and
// ends the waits that last too long, so that no timer is armed per request. Belongs to one
// connection, on its I/O thread.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "net/input_buffer.h"
#include "net/server.h"
#include "net/transport.h"
#include "net/wakeup.h"

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace binnacle::net {

class Channel {
 public:
  enum class Waiting : uint8_t { kNothing, kIdle, kHead, kBody, kWrite, kHandler };

  // `clock` and `limits` outlive the channel; limits may change between ticks.
  Channel(std::unique_ptr<Transport> transport, const Clock& clock, const ServerLimits& limits);

  InputBuffer in;   // while something is read ahead, only to be looked at and consumed from
  std::string out;  // answers that are ready, sent by the next flush

  // Reads at least one byte into `in`. eof stays: later calls return it again.
  boost::asio::awaitable<boost::system::error_code> fill(Waiting why, size_t room);
  // Reads ahead on its own coroutine from now on, to see the peer go away while something else is
  // waited for. fill() takes over what it read. `owner` keeps the connection alive meanwhile.
  void watch(std::shared_ptr<void> owner);
  // The request in `in` is done with.
  void release_input();

  // Sends `out`, without waiting. False when some is left: then flush().
  bool flush_at_once();
  // Sends `out`, then `tail`. kCancelled when the peer went away or took nothing for too long.
  boost::asio::awaitable<Status> flush(std::string_view tail = {});
  // Flushes and ends the connection politely.
  boost::asio::awaitable<void> finish();

  // A new head is waited for from now on.
  void begin_head(int64_t now_ns) { head_began_ns_ = now_ns; }
  // The exchange ends at that monotonic time: waits for a body or a handler do not last longer.
  void begin_exchange(int64_t deadline_ns);
  // A stream is handled: until it has started, passing the deadline interrupts it.
  void begin_stream() { stream_waits_ = true; }
  void stream_started() { stream_waits_ = false; }
  // Waits for `event`; false once the exchange's deadline has passed.
  boost::asio::awaitable<bool> wait_for_handler(Wakeup& event);
  // False when interrupted (peer gone, drain, deadline).
  boost::asio::awaitable<bool> sleep(std::chrono::milliseconds time);
  void interrupt();  // ends sleep()

  void tick(int64_t now_ns);
  void close();
  Waiting waiting() const { return waiting_; }
  Waiting expired() const { return expired_; }  // the wait that lasted too long
  bool failed() const { return failed_; }       // nothing more can be sent
  // The peer closed its side or is gone, or the deadline of a stream passed: nobody waits for more.
  bool cancelled() const { return failed_ || read_error_ || expired_ != Waiting::kNothing; }
  // The peer closed its side or is gone, for other threads to look at. Seen while something is read
  // or written, so call watch().
  const std::atomic<bool>& gone() const { return gone_; }
  int64_t last_read_ns() const { return last_read_ns_; }
  std::unique_ptr<Transport> release_transport() { return std::move(transport_); }
  boost::asio::any_io_executor executor() const { return executor_; }

 private:
  boost::asio::awaitable<void> read_ahead(std::shared_ptr<void> owner);
  void note_read(const boost::system::error_code& error, size_t bytes);
  boost::asio::awaitable<Status> write_waiting(std::string_view bytes);
  void begin_wait(Waiting why);
  void expire(bool closing);
  bool body_too_slow(int64_t now_ns) const;
  void drop_sent(std::string_view& tail, size_t bytes);
  Unexpected fail_write();

  const Clock& clock_;
  const ServerLimits& limits_;

  // Executor only.
  std::unique_ptr<Transport> transport_;  // null once a WebSocket took it
  boost::asio::any_io_executor executor_;
  Wakeup read_done_;
  Wakeup sleep_;
  Wakeup* handler_event_ = nullptr;
  Waiting waiting_ = Waiting::kNothing;
  Waiting expired_ = Waiting::kNothing;
  bool reading_ahead_ = false;
  bool stop_read_ahead_ = false;
  bool failed_ = false;
  boost::system::error_code read_error_;
  std::atomic<bool> gone_ = false;  // any thread may read it
  bool stream_waits_ = false;
  int64_t since_ns_ = 0;  // when the wait began
  int64_t last_read_ns_ = 0;
  int64_t head_began_ns_ = 0;  // when the first byte of this head came
  int64_t exchange_deadline_ns_ = 0;
  int64_t body_waited_ns_ = 0;  // waiting for this exchange's body, all reads together
  uint64_t body_bytes_ = 0;
};

}  // namespace binnacle::net
