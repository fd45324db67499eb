// NVIDIA's management library, loaded while running: a machine without a GPU needs no file of
// theirs. Loading maps a file and asks the driver nothing; every call of the Api may hang with the
// driver. Never unloaded: threads that hang in it could not return.
#pragma once

#include <string>

#include "base/error.h"
#include "collect/gpu/nvml_abi.h"

namespace binnacle::collect::gpu {

// kNotFound: the library is not there; kFailedPrecondition: it lacks what cannot be done without.
Result<nvml::Api> load_nvml(const std::string& library);

}  // namespace binnacle::collect::gpu
