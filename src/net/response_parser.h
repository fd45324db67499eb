// Bytes to a response: the head and the framing of HTTP/1.1 (RFC 9112) over Beast's parser. Reads
// from memory only. One for each response; interim ones (1xx) are responses of their own. One
// thread.
#pragma once

#include "base/error.h"
#include "net/http.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace binnacle::net {

class ResponseParser {
 public:
  // `answers_head`: of a HEAD request, so no body follows whatever the headers say.
  ResponseParser(size_t max_header_bytes, bool answers_head);
  ~ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Takes bytes in, returns how many are used up; the others come again, with more behind them.
  // Content of the body is appended to `body`. Stops where the head ends, and where the response
  // ends. kUnavailable for what is not HTTP, kResourceExhausted for a head over the limit.
  Result<size_t> put(std::string_view bytes, std::string& body);
  // The connection ended. kDataLoss when the response is not whole.
  Status put_end();

  bool head_done() const;
  bool done() const;
  int status() const;
  Headers& headers();
  bool keep_alive() const;            // after done(): the connection may be used again
  bool ends_with_connection() const;  // after head_done(): neither a length nor chunks tell the end

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
