#include "engine/pipeline/worker_calls.h"

#include <utility>

#include "engine/pipeline/grpc_support.h"

namespace binnacle::engine {
namespace {

constexpr size_t kMaxQueuedReads = 64;

class UnaryCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit UnaryCall(UnaryAnswer answer) : answer_(std::move(answer)) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::INVALID_ARGUMENT, "no request"});
    answer_(BufferBytes(request_).view(), [this](Result<std::string> bytes) {
      if (!bytes) return Finish(grpc_status(bytes.error()));
      response_ = buffer_of(*std::move(bytes));
      StartWriteAndFinish(&response_, {}, grpc::Status::OK);
    });
  }
  void OnDone() override { delete this; }

 private:
  const UnaryAnswer answer_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class RefusedCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusedCall(grpc::Status status) { Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

WorkerCalls::WorkerCalls(Stage& s, FileSystem& f, const Clock& c, Registry& registry)
    : stage(s),
      files(f),
      clock(c),
      received_bytes(registry.counter("binnacle_engine_received_bytes_total",
                                      "Bytes of requests of Forward streams.")),
      sent_bytes(registry.counter("binnacle_engine_sent_bytes_total",
                                  "Bytes of answers of Forward streams.")),
      checksum_failures(registry.counter("binnacle_engine_checksum_failures_total",
                                         "Messages that failed their checksum.")),
      weights_sent_bytes(registry.counter("binnacle_engine_weights_sent_bytes_total",
                                          "Bytes of weights that peers fetched here.")),
      streams_gauge(registry.gauge("binnacle_engine_streams", "Open Forward streams.")),
      file_reading("weights", 1, kMaxQueuedReads) {}

grpc::ServerGenericBidiReactor* unary_call(UnaryAnswer answer) {
  return new UnaryCall(std::move(answer));
}

grpc::ServerGenericBidiReactor* refused_call(const Error& error) {
  return new RefusedCall(grpc_status(error));
}

}  // namespace binnacle::engine
