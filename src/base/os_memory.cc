#include "base/os_memory.h"

#include <charconv>
#include <string>

namespace binnacle {

Result<int64_t> available_memory_bytes(FileSystem& files) {
  constexpr std::string_view kKey = "MemAvailable:";
  TRY_ASSIGN(const std::string text, files.read_file("/proc/meminfo"));
  const size_t at = text.find(kKey);
  const size_t begin = at == std::string::npos ? at : text.find_first_not_of(' ', at + kKey.size());
  int64_t kib = 0;
  if (begin == std::string::npos ||
      std::from_chars(text.data() + begin, text.data() + text.size(), kib).ec != std::errc())
    return fail(Code::kUnimplemented, "/proc/meminfo: no MemAvailable");
  return kib * 1024;
}

}  // namespace binnacle
