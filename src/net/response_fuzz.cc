// Responses from a hostile server. The first byte chooses whether a HEAD is answered and whether
// the connection ends after the bytes, the second how they are cut into pieces.
#include "base/check.h"
#include "net/response_parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const bool answers_head = (data[0] & 1) != 0;
  const bool ends = (data[0] & 2) != 0;
  const size_t piece = data[1] == 0 ? size : data[1];
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

  binnacle::net::ResponseParser parser(1024, answers_head);
  std::string unused;
  std::string body;
  while (!bytes.empty() && !parser.done()) {
    unused.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    // The head's end stops put() once; what follows is asked for again.
    for (bool more = true; more;) {
      const bool had_head = parser.head_done();
      const auto used = parser.put(unused, body);
      if (!used) return 0;
      CHECK(*used <= unused.size());
      unused.erase(0, *used);
      more = !had_head && parser.head_done() && !parser.done();
    }
  }
  if (ends && !parser.done()) (void)parser.put_end();
  CHECK(body.size() <= size);
  if (answers_head && parser.head_done()) CHECK(body.empty());
  if (parser.head_done()) CHECK(parser.status() >= 0 && parser.status() <= 999);
  return 0;
}
