// The head of an answer as bytes, and which answers are worth a content coding.
#pragma once

#include "net/coding.h"
#include "net/http.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle::net {

struct ResponseFraming {
  int status = 200;
  bool http10 = false;
  bool keep_alive = true;
  bool chunked = false;
  std::optional<uint64_t> content_length;  // none: chunked, or until the connection's end
  std::string_view request_id;
  std::string_view date_line;  // "Date: ...\r\n"
};

// Headers that the framing owns (Connection, Content-Length, Transfer-Encoding, Date) are not taken
// from `headers`; control characters in a value become spaces, so that no value can begin a line of
// its own.
void append_response_head(std::string& out, const Headers& headers, const ResponseFraming& framing);

bool status_has_body(int status);  // 1xx, 204 and 304 have none
// The coding to use, and the headers that tell of it set. `size`: none for a stream.
Coding choose_coding(Headers& headers, int status, std::string_view accept_encoding,
                     std::optional<size_t> size, size_t compress_from_bytes);

std::string format_date_line(int64_t wall_seconds);

}  // namespace binnacle::net
