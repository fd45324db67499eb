// The calls that a worker serves, one reactor each; they delete themselves when gRPC has done with
// them. A reactor finishes only when nothing of it is under way elsewhere, so that whoever answers
// it always finds it. On gRPC's threads and those of the stage.
#pragma once

#include "base/mutex.h"  // before gRPC, which defines macros of the same names and meaning

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include <grpcpp/generic/async_generic_service.h>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "engine/pipeline/stage.h"

namespace binnacle::engine {

// What all calls of a server share.
struct WorkerCalls {
  WorkerCalls(Stage& s, FileSystem& f, const Clock& c, Registry& registry);

  // Fixed after construction. References outlive the server.
  Stage& stage;
  FileSystem& files;
  const Clock& clock;
  Counter& received_bytes;
  Counter& sent_bytes;
  Counter& checksum_failures;
  Counter& weights_sent_bytes;
  Gauge& streams_gauge;

  std::atomic<size_t> streams{0};
  std::atomic<size_t> fetches{0};
  std::atomic<bool> stopping{false};
  ThreadPool file_reading;
};

// One request, one response; `answer` may be given later, from any thread, once.
using UnaryAnswer =
    std::function<void(std::string_view request, std::function<void(Result<std::string>)> answer)>;
grpc::ServerGenericBidiReactor* unary_call(UnaryAnswer answer);

grpc::ServerGenericBidiReactor* refused_call(const Error& error);

// A Forward stream of this client.
grpc::ServerGenericBidiReactor* forward_call(WorkerCalls& calls, ClientId client);

// Sends the files of a folder below `models_folder`.
grpc::ServerGenericBidiReactor* fetch_call(WorkerCalls& calls, std::string models_folder);

}  // namespace binnacle::engine
