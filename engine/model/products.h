// Matrix products by a team of threads: each output is computed by one thread, in the order that
// the kernel fixes, so the number of threads changes no bit. Several products that need not wait
// for each other go in one call.
#pragma once

#include <span>

#include "engine/model/kernels.h"
#include "engine/model/thread_team.h"

namespace binnacle::engine {

void multiply(ThreadTeam& team, const Kernels& kernels, std::span<const Product> products);

}  // namespace binnacle::engine
