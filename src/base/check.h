// CHECK is for programmer errors only, never for input; it is on in all builds.
#pragma once

namespace binnacle {

// Prints the condition and where it stood to stderr, then aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace binnacle

#define CHECK(condition)                             \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::binnacle::check_failed(__FILE__, __LINE__, #condition))
