// Channels to workers: limits, keepalive, retries of unary calls, and the metadata that every call
// carries. Any thread.
#pragma once

#include "base/mutex.h"  // before gRPC, which defines macros of the same names and meaning

#include <cstdint>
#include <memory>
#include <string>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include "base/error.h"
#include "base/file_system.h"
#include "engine/pipeline/pipeline_tls.h"

namespace binnacle::engine {

// kInvalidArgument: the address or a TLS file. Connects when it is first used.
Result<std::shared_ptr<grpc::Channel>> worker_channel(const std::string& address,
                                                      const PipelineTls& tls, int max_message_bytes,
                                                      FileSystem& files);

void add_call_metadata(grpc::ClientContext& context, uint64_t client);

}  // namespace binnacle::engine
