#include "engine/pipeline/worker_server.h"

#include "base/mutex.h"  // before gRPC

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <vector>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/pipeline_messages.h"
#include "engine/pipeline/worker_fixture.h"

namespace binnacle::engine {
namespace {

// A client that says what a test wants, right or wrong.
class RawClient {
 public:
  RawClient(const std::string& address, const std::string& protocol = "1")
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {
    context_.AddMetadata(kProtocolKey, protocol);
    context_.AddMetadata(kClientKey, "00000000000000aa");
    context_.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(20'000, GPR_TIMESPAN)));
    call_ = stub_.PrepareCall(&context_, std::string(kForwardMethod), &queue_);
    call_->StartCall(this);
    next();
  }
  ~RawClient() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  // What the stream ends with after this message.
  grpc::Status send_and_finish(const std::string& message) {
    const grpc::ByteBuffer sent = buffer_of(message);
    call_->Write(sent, this);
    next();
    grpc::ByteBuffer received;
    call_->Read(&received, this);
    EXPECT_FALSE(next()) << "an answer";
    call_->Finish(&status_, this);
    next();
    return status_;
  }

 private:
  bool next() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return ok;
  }

  grpc::GenericStub stub_;
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  grpc::Status status_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

ForwardRequest a_request() {
  return {.epoch = 1, .number = 1, .timeout_ms = 20'000, .step = prompt_step(1, {1, 2}, false)};
}

TEST(WorkerServerTest, ACorruptMessageEndsItsStreamAndIsCounted) {
  TestWorker worker;
  std::string bytes = write_forward_request(a_request(), NumberType::kFloat32);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  const auto status = RawClient(worker.server->address()).send_and_finish(bytes);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS) << status.error_message();
  EXPECT_NE(worker.registry.write(TextFormat::kPrometheus004)
                .find("binnacle_engine_checksum_failures_total 1"),
            std::string::npos);
}

TEST(WorkerServerTest, AMessageWithoutChecksumOrWithNonsenseIsRefused) {
  TestWorker worker;
  const auto status = RawClient(worker.server->address()).send_and_finish("\x10\x01");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  ForwardRequest request = a_request();
  request.step.tokens.pop_back();
  const auto rows = RawClient(worker.server->address())
                        .send_and_finish(write_forward_request(request, NumberType::kFloat32));
  EXPECT_EQ(rows.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_NE(rows.error_message().find("1 tokens for 2 rows"), std::string::npos)
      << rows.error_message();
}

TEST(WorkerServerTest, AnotherProtocolIsRefusedWithBothNumbers) {
  TestWorker worker;
  const auto status = RawClient(worker.server->address(), "7").send_and_finish("");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(status.error_message().find("protocol 7"), std::string::npos);
  EXPECT_NE(status.error_message().find("speaks 1"), std::string::npos);
}

TEST(WorkerServerTest, AMessageOverTheLimitIsRefused) {
  TestWorker worker({.max_message_bytes = 64 * 1024});
  const auto status =
      RawClient(worker.server->address()).send_and_finish(std::string(100'000, 'x'));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
}

TEST(WorkerServerTest, StreamsAreBounded) {
  TestWorker worker({.max_streams = 0});
  const auto status = RawClient(worker.server->address()).send_and_finish("");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
}

TEST(WorkerServerTest, ATakenPortIsAClearError) {
  TestWorker worker;
  Registry registry;
  SystemClock clock;
  const auto second = WorkerServer::open({.listen = worker.server->address()}, {}, worker.stage(),
                                         real_file_system(), clock, registry);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kFailedPrecondition);
  EXPECT_NE(second.error().message.find("cannot be bound"), std::string::npos);
}

}  // namespace
}  // namespace binnacle::engine
