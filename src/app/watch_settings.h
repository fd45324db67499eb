// From the checked configuration to what the rooms of watch take. Reads the files that it names.
#pragma once

#include "base/config.h"
#include "base/error.h"
#include "base/file_system.h"
#include "watch/heartbeat/heartbeat.h"
#include "watch/heartbeat/up_writer.h"

namespace binnacle::app {

// An error is about cluster.nodes or the file of cluster.nodes_file.
Result<watch::heartbeat::HeartbeatOptions> heartbeat_options(const Config& config,
                                                             FileSystem& files);
watch::heartbeat::UpWriterOptions up_writer_options(const Config& config);

}  // namespace binnacle::app
