// The small change of gRPC: buffers, statuses, credentials from files. Any thread.
#pragma once

#include "base/mutex.h"  // before gRPC, which defines macros of the same names and meaning

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "base/error.h"
#include "base/file_system.h"
#include "engine/pipeline/pipeline_tls.h"

namespace binnacle::engine {

inline constexpr int kKeepaliveMs = 10'000;
inline constexpr int kKeepaliveAnswerMs = 5'000;

// Takes the bytes without a copy.
grpc::ByteBuffer buffer_of(std::string bytes);

// The bytes of a buffer as one piece; copied only where they came in several.
class BufferBytes {
 public:
  explicit BufferBytes(const grpc::ByteBuffer& buffer);
  std::string_view view() const {
    return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()};
  }

 private:
  grpc::Slice slice_;
};

grpc::Status grpc_status(const Error& error);
Error error_of(const grpc::Status& status);

// Plain ones where no files are named.
Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const PipelineTls& tls,
                                                                    FileSystem& files);
Result<std::shared_ptr<grpc::ChannelCredentials>> channel_credentials(const PipelineTls& tls,
                                                                      FileSystem& files);

}  // namespace binnacle::engine
