#include "base/os_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle {
namespace {

// A segment that may not be written is as its file has it, unless its code was relocated in place.
int drop_clean_pages(dl_phdr_info* object, size_t, void*) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type == PT_DYNAMIC) {
      const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + segment.p_vaddr);
      for (; entry->d_tag != DT_NULL; ++entry) {
        if (entry->d_tag == DT_TEXTREL) return 0;
      }
    }
  }
  for (size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_filesz;
    // Refused for pages that are locked: those stay.
    static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));
  }
  return 0;
}

}  // namespace

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

void give_back_idle_memory() {
  ::dl_iterate_phdr(drop_clean_pages, nullptr);
  ::malloc_trim(0);
}

}  // namespace binnacle
