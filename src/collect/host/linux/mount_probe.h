// Asks file systems for their size without ever waiting for long: statfs() on a dead NFS server
// does not return, and nothing can interrupt it. Threads of its own do the asking; one that hangs
// is left behind with its mount, which is not asked again until it answers. ask() belongs to one
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace binnacle::collect::host {

struct MountUsage {
  double size_bytes = 0;
  double free_bytes = 0;
  double available_bytes = 0;  // to users other than root
  double files = 0;
  double files_free = 0;
};

// statfs(2).
Result<MountUsage> ask_statfs(const std::string& path);

class MountProbe {
 public:
  using Ask = std::function<Result<MountUsage>(const std::string& path)>;

  struct Options {
    int64_t wait_ms = 200;  // for all of one ask()
    int64_t stuck_ms =
        5000;  // a question open that long counts as failed, and its last answer as old
    size_t max_threads = 8;  // so at most that many hanging mounts; further ones fail unasked
  };

  MountProbe(Options options, const Clock& clock, Ask ask);
  ~MountProbe();  // leaves threads that hang in statfs() behind; they touch nothing but their
                  // shared state
  MountProbe(const MountProbe&) = delete;
  MountProbe& operator=(const MountProbe&) = delete;

  // One answer for each path, in order. Nothing: no answer in time. A mount that is merely slow
  // answers with what it said last.
  std::vector<std::optional<Result<MountUsage>>> ask(const std::vector<std::string>& paths);

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);

  // Fixed after construction.
  const Options options_;
  const Clock& clock_;
  const std::shared_ptr<Shared> shared_;  // shared: a hanging thread may outlive the probe
};

}  // namespace binnacle::collect::host
