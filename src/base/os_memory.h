// Memory as this machine counts it: what there is, and what a process may give back. Any thread.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle {

// What the machine can still give without swapping, as the kernel reckons it: MemAvailable of
// proc_meminfo(5).
Result<int64_t> available_memory_bytes(FileSystem& files);

// The pages of the program and its libraries that nothing has written, and what the allocator holds
// for nobody. Much of them is read at the start alone; what is still used comes back from the page
// cache at its next use, without a disk. Where the system has no such call, nothing happens.
void give_back_idle_memory();

}  // namespace binnacle
