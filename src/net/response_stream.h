// The ResponseWriter of one exchange: frames pieces as chunks (for HTTP/1.0: until the end of the
// connection), codes them where the client takes that, and waits until the kernel has them. On the
// connection's I/O thread.
#pragma once

#include "net/channel.h"
#include "net/coding.h"
#include "net/server_core.h"
#include "net/stream_handler.h"

#include <memory>
#include <string>
#include <string_view>

namespace binnacle::net {

struct StreamFacts {
  bool head = false;  // HEAD: no body is sent
  bool http10 = false;
  bool keep_alive = true;  // start() clears it where only the connection's end can end the body
  std::string_view request_id;
  const std::string* date_line = nullptr;  // read when the head is written
  std::string_view accept_encoding;
  size_t compress_from_bytes = 0;
};

class ResponseStream final : public ResponseWriter {
 public:
  ResponseStream(Channel& channel, const ServerCore& core, const StreamFacts& facts)
      : channel_(channel), core_(core), facts_(facts) {}

  boost::asio::awaitable<Status> send(Response response) override;
  boost::asio::awaitable<Status> start(int status, Headers headers) override;
  boost::asio::awaitable<Status> write(std::string_view piece) override;
  bool started() const override { return status_ != 0; }
  bool cancelled() const override;
  boost::asio::awaitable<bool> sleep(std::chrono::milliseconds time) override;

  boost::asio::awaitable<void> finish();  // ends the body, after the handler
  int status() const { return status_; }  // 0: not started
  uint64_t bytes_sent() const { return bytes_sent_; }
  bool keep_alive() const { return facts_.keep_alive; }

 private:
  boost::asio::awaitable<Status> begin(int status, const Headers& headers, Coding coding);
  boost::asio::awaitable<Status> write_coded(std::string_view piece);
  boost::asio::awaitable<Status> write_framed(std::string_view bytes);
  Coding choose(Headers& headers, int status, std::optional<size_t> size) const;
  void append_head(int status, const Headers& headers, std::optional<uint64_t> length);

  Channel& channel_;
  const ServerCore& core_;
  StreamFacts facts_;
  std::unique_ptr<Encoder> encoder_;
  std::string coded_;
  int status_ = 0;
  uint64_t bytes_sent_ = 0;
  bool chunked_ = false;
  bool open_ = false;  // a streamed body that has not ended
};

}  // namespace binnacle::net
