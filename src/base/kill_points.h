// Named places where a test may have the process killed as by kill -9: BINNACLE_KILL_AT=<point>:<n>
// in the environment ends it at the n-th pass. In a build without tests it does nothing. Any
// thread.
#pragma once

namespace binnacle {

void kill_point(const char* name);

}  // namespace binnacle
