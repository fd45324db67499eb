// The body of the request at hand: unframed, content coding removed, held to the route's limit
// before and after decoding. One for each request with a body, on the connection's I/O thread.
#pragma once

#include "net/channel.h"
#include "net/coding.h"
#include "net/request_parser.h"
#include "net/router.h"
#include "net/stream_handler.h"

#include <memory>
#include <string>
#include <vector>

namespace binnacle::net {

class RequestBody final : public BodyReader {
 public:
  RequestBody(Channel& channel, RequestParser& parser, size_t max_bytes, Coding coding);

  boost::asio::awaitable<Result<std::string_view>> read() override;
  // All of it; valid as long as this object and the request's head are kept.
  boost::asio::awaitable<Result<std::string_view>> read_all();

  // Once all is read, the channel watches for the peer's going away. For streams.
  void watch_at_end(std::shared_ptr<void> owner);

  // What to answer when a read failed: 400, 408 or 413; 0 when nobody is there to be answered.
  int failure_status() const { return failure_status_; }
  uint64_t bytes_received() const { return raw_bytes_; }

 private:
  boost::asio::awaitable<Result<std::string_view>> read_raw();
  Result<std::string_view> decode_piece();
  void end();
  Unexpected refuse(int status, Code code, std::string message);

  Channel& channel_;
  RequestParser& parser_;
  const size_t max_bytes_;
  const Coding coding_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> decoded_;  // the piece handed out last
  std::string whole_;          // of read_all(), unless one piece was all
  uint64_t raw_bytes_ = 0;
  int failure_status_ = 0;
  bool continue_sent_ = false;
  bool ended_ = false;
  std::shared_ptr<void> watch_owner_;  // set: watch at the end
};

}  // namespace binnacle::net
