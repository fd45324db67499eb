// What memory this machine can still give. Any thread.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle {

// Without swapping, as the kernel reckons it: MemAvailable of proc_meminfo(5).
Result<int64_t> available_memory_bytes(FileSystem& files);

}  // namespace binnacle
