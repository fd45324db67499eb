// The name of this machine.
#pragma once

#include <string>

namespace binnacle {

std::string host_name();  // "localhost" when it has none

}  // namespace binnacle
