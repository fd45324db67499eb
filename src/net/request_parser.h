// Bytes to requests: the head and the framing of HTTP/1.1 (RFC 9112) over Beast's parser, and
// strict where that one is lenient. Reads from memory only, copies nothing: a Request's views point
// into the bytes given. One for a connection, reset() between its requests. A failure names the
// status to answer; the connection then ends.
#pragma once

#include "net/http.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace binnacle::net {

struct ParseFailure {
  int status = 400;
  std::string_view reason;  // of static life
};

// What the head says of the message and its connection.
struct Framing {
  bool http10 = false;
  bool keep_alive = true;
  bool has_body = false;
  bool expects_continue = false;
  std::optional<uint64_t> content_length;  // none: no body, or chunked
};

class RequestParser {
 public:
  RequestParser();
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class Step : uint8_t { kNeedMore, kDone, kFailed };

  void reset();
  // Parses when `bytes` begin with a whole head; `used` is its length then. Until it is whole, call
  // again with the same bytes and more. Sets method, target, path, query and headers of `request`.
  Step parse_head(std::string_view bytes, size_t max_bytes, Request& request, size_t& used);
  const Framing& framing() const;
  bool body_done() const;
  // The next piece of the body's content, a view into `bytes`; `used` of them are done with. kDone
  // is the end of the message, perhaps together with a last piece; kNeedMore may come with a piece
  // too.
  Step parse_body(std::string_view bytes, std::string_view& piece, size_t& used);
  const ParseFailure& failure() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
