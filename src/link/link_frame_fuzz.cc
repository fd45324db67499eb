// Messages of a hostile peer: refused or taken, and what was taken says the same when written and
// read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "link/frame.h"

using namespace binnacle;
using namespace binnacle::link;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = decode_message({reinterpret_cast<const char*>(data), size});
  if (!message) {
    CHECK(is_valid_utf8(message.error().message));
    return 0;
  }
  CHECK(message->frames.size() + message->unknown <= kMaxFramesPerMessage);
  std::string again;
  for (const Frame& frame : message->frames) append_frame(frame, again);
  const auto back = decode_message(again);
  CHECK(back.has_value());
  CHECK(back->frames == message->frames && back->unknown == 0);
  return 0;
}
