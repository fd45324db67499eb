// While it lives, this thread's arithmetic takes denormal numbers for zero and gives zero for them:
// products with them are many times slower, and what they add is below every tolerance. Part of
// what the kernels compute, so it is on in every thread that runs one.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace binnacle::engine {

#if defined(__x86_64__)
class FlushDenormals {
 public:
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero);
  }
  ~FlushDenormals() { _mm_setcsr(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  static constexpr unsigned kFlushToZero = 0x8000;
  static constexpr unsigned kDenormalsAreZero = 0x0040;
  const unsigned before_;
};
#elif defined(__aarch64__)
class FlushDenormals {
 public:
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | kFlushToZero));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  static constexpr unsigned long kFlushToZero = 1UL << 24;
  unsigned long before_ = 0;
};
#endif

}  // namespace binnacle::engine
