// What this node says of itself to the server, so that one that runs another kernel, driver, engine
// or model than its like is seen. set_engines() on any thread, the rest on the owner's.
#pragma once

#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/mutex.h"
#include "collect/engines/local_engines.h"
#include "link/frame.h"

namespace binnacle::app {

class AgentFacts {
 public:
  // `files` outlives it; the folders as of collect.host.
  AgentFacts(FileSystem& files, std::string proc_path, std::string sys_path)
      : files_(files), proc_path_(std::move(proc_path)), sys_path_(std::move(sys_path)) {}

  void set_engines(const std::vector<collect::engines::LocalEngine>& engines) EXCLUDES(mu_);
  // Reads a few small files. What is not known is left out.
  link::Facts gather() EXCLUDES(mu_);

 private:
  std::string gpu_driver() const;

  // Fixed after construction.
  FileSystem& files_;
  const std::string proc_path_;
  const std::string sys_path_;

  Mutex mu_;
  std::vector<link::Fact> engines_ GUARDED_BY(mu_);
};

}  // namespace binnacle::app
