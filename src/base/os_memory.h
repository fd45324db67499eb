// What a process that runs for months may give back to the system meanwhile. Any thread.
#pragma once

namespace binnacle {

// The pages of the program and its libraries that nothing has written, and what the allocator holds
// for nobody. Much of them is read at the start alone; what is still used comes back from the page
// cache at its next use, without a disk. Where the system has no such call, nothing happens.
void give_back_idle_memory();

}  // namespace binnacle
