// Datagrams of a stranger: dropped with a reason, or what was read gives the same bytes again. What
// no stranger can make, a right MAC, is put under the bytes that came, so that the fields are read.
#include "base/check.h"
#include "net/echo_datagram.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace binnacle;
using namespace binnacle::net;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view key = "sixteen bytes...";
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto read = read_echo(bytes, key);
  if (read) {
    CHECK(write_echo(*read, key) == bytes);
    CHECK(!read_echo(bytes, "another key here").has_value());
  } else {
    CHECK(!echo_flaw_name(read.error()).empty());
  }
  EchoDatagram echo;
  for (const char c : bytes.substr(0, 8)) echo.id = echo.id << 8 | static_cast<uint8_t>(c);
  for (const char c : bytes.substr(0, 4)) echo.number = echo.number << 8 | static_cast<uint8_t>(c);
  echo.kind = size % 2 == 0 ? EchoKind::kRequest : EchoKind::kReply;
  const auto back = read_echo(write_echo(echo, key), key);
  CHECK(back.has_value() && *back == echo);
  return 0;
}
