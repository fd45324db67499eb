// Preloaded into a process, makes its wall clock run ahead by BINNACLE_SHIFT_SECONDS.
#include <dlfcn.h>

#include <cstdlib>
#include <ctime>

extern "C" int clock_gettime(clockid_t id, timespec* out) {
  using Read = int (*)(clockid_t, timespec*);
  static const auto read = reinterpret_cast<Read>(dlsym(RTLD_NEXT, "clock_gettime"));
  static const char* const shift = std::getenv("BINNACLE_SHIFT_SECONDS");
  const int result = read(id, out);
  if (result == 0 && id == CLOCK_REALTIME && shift != nullptr) out->tv_sec += std::atoi(shift);
  return result;
}
