// Remote-read requests of any bytes: they are refused or understood, and never more.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "show/read_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto request =
      binnacle::show::ReadRequest::decode({reinterpret_cast<const char*>(data), size});
  if (!request) {
    CHECK(request.error().code == binnacle::Code::kInvalidArgument);
    CHECK(!request.error().message.empty());
  }
  return 0;
}
