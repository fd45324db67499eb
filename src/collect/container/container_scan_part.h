// Now and then: which containers there are, and what is dear to read of each: memory by kind,
// limits, tasks, network, when it began.
#pragma once

#include <memory>

#include "base/clock.h"
#include "collect/container/container_list.h"
#include "collect/host/part.h"

namespace binnacle::collect::container {

std::unique_ptr<host::Part> container_scan_part(FileSystem& files, const Clock& clock,
                                                const CgroupTree& tree, std::string proc_path,
                                                ContainerList list,
                                                std::shared_ptr<ContainerBoard> board);

}  // namespace binnacle::collect::container
