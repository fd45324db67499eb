// BINNACLE_WIDE_VECTORS before a function whose loops the compiler makes vector ones has it made
// twice: for every processor that the program runs on and for those with vectors of 32 bytes; a
// call reaches the right one. Both round alike, as neither fuses multiplications with additions.
// What such a function calls is made twice only where it is inlined. Not in unnamed namespaces:
// clang 16 then leaves out inline functions that only the two call.
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer) || __has_feature(coverage_sanitizer)
#define BINNACLE_WIDE_VECTORS  // the choice would be made before their runtimes are there
#endif
#endif

#if !defined(BINNACLE_WIDE_VECTORS)
#if defined(__x86_64__) && defined(__gnu_linux__)
#define BINNACLE_WIDE_VECTORS [[gnu::target_clones("avx2", "default")]]
#else
#define BINNACLE_WIDE_VECTORS
#endif
#endif
