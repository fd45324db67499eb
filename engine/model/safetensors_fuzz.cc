// A safetensors file of any bytes: refused, or taken, and then every tensor lies within the file,
// none over another, and is as long as its shape says.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace binnacle::engine;  // NOLINT(google-build-using-namespace): a program of one file
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto header = parse_safetensors(bytes, "f");
  if (!header) {
    CHECK(header.error().message.starts_with("f: "));
    return 0;
  }
  uint64_t covered = 0;
  for (const auto& [name, entry] : header->tensors) {
    CHECK(entry.begin <= entry.end && entry.end <= size);
    auto expected = static_cast<uint64_t>(number_size(entry.type));
    for (const int64_t dimension : entry.shape) expected *= static_cast<uint64_t>(dimension);
    CHECK(entry.end - entry.begin == expected);
    covered += expected;
  }
  CHECK(covered <= size);
  return 0;
}
