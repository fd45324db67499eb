// What changes every second of each container: time on the CPUs, memory in use, bytes read and
// written. The scan says which containers there are.
#pragma once

#include <memory>

#include "collect/container/container_list.h"
#include "collect/host/part.h"

namespace binnacle::collect::container {

std::unique_ptr<host::Part> container_tick_part(FileSystem& files, CgroupTree tree,
                                                std::string sys_path,
                                                std::shared_ptr<ContainerBoard> board);

}  // namespace binnacle::collect::container
