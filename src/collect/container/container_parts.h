// The parts of the host collector that tell about containers, from the control groups of either
// version, under the names, labels and units of cAdvisor.
#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "collect/container/container_names.h"
#include "collect/container/container_options.h"
#include "collect/host/host_options.h"
#include "collect/host/part.h"

namespace binnacle::collect::container {

// None where no control groups are mounted. `files` outlives the parts.
host::Parts container_parts(const ContainerOptions& options, const host::HostOptions& host,
                            FileSystem& files, const Clock& clock);
// For tests: with a source of names of their own, or none.
host::Parts container_parts(const ContainerOptions& options, const host::HostOptions& host,
                            FileSystem& files, const Clock& clock,
                            std::unique_ptr<NameSource> live);

}  // namespace binnacle::collect::container
