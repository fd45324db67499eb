// A worker in another process, over gRPC (docs/formats/pipeline.md). One Forward stream is kept
// open and is opened anew by itself, with growing waits, when it breaks; steps sent while there is
// none fail at once with kUnavailable. A thread of its own keeps the deadlines of hops. See
// worker.h for what `done` may count on; close() and the destructor never from within one, and
// nothing is asked of it after close().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/pipeline/pipeline_tls.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

struct RemoteWorkerOptions {
  std::string address;  // host:port
  PipelineTls tls;
  int max_message_bytes = 64 << 20;
  size_t max_hops = 1'024;        // under way at a time
  size_t max_releases = 1 << 16;  // that wait for the stream to be up again
  int64_t first_wait_ms = 50;     // before the stream is opened again
  int64_t longest_wait_ms = 2'000;
};

class RemoteWorker final : public Worker {
 public:
  // Begins to connect. kInvalidArgument: the address or a TLS file. References outlive the worker.
  static Result<std::unique_ptr<RemoteWorker>> open(RemoteWorkerOptions options, FileSystem& files,
                                                    const Clock& clock, Random& random);
  ~RemoteWorker() override;  // close()
  RemoteWorker(const RemoteWorker&) = delete;
  RemoteWorker& operator=(const RemoteWorker&) = delete;

  void describe(Time timeout, Done<WorkerFacts> done) override;
  void load(const LoadOrder& order, Time timeout, Done<void> done) override;
  void unload(Time timeout, Done<void> done) override;
  void run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done) override;
  void release(uint64_t epoch, std::vector<SequenceId> sequences) override;
  void on_lost(std::function<void(Error)> lost) override;
  void close() override;
  const std::string& address() const override;

  // The JSON of its /distributed-stats.
  void stats(Time timeout, Done<std::string> done);
  bool connected() const;

 private:
  class Core;
  explicit RemoteWorker(std::shared_ptr<Core> core);
  const std::shared_ptr<Core> core_;  // with its stream and its calls
};

}  // namespace binnacle::engine
