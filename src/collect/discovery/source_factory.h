// Makes the source that a configuration names.
#pragma once

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "collect/discovery/discovery_manager.h"
#include "collect/discovery/kubernetes_access.h"
#include "net/io_threads.h"

namespace binnacle::collect::discovery {

// All outlive the sources.
struct SourceParts {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  ThreadPool& pool;  // files, name servers and large answers block and burn it
  Random& random;    // any thread may use it
  PodEnvironment pod;
};

SourceFactory source_factory(const SourceParts& parts);

}  // namespace binnacle::collect::discovery
