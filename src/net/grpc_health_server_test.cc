#include "net/grpc_health_server.h"

#include <gtest/gtest.h>

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/security/credentials.h>

#include "base/mutex.h"

namespace binnacle::net {
namespace {

// Answers by a table that a test changes.
class Services {
 public:
  void set(const std::string& service, GrpcServing serving) {
    const MutexLock lock(mu_);
    all_[service] = serving;
  }
  GrpcHealthSource source() {
    return {[this](const std::string& service) -> std::optional<GrpcServing> {
              const MutexLock lock(mu_);
              const auto found = all_.find(service);
              if (found == all_.end()) return std::nullopt;
              return found->second;
            },
            [this] {
              const MutexLock lock(mu_);
              return all_;
            }};
  }

 private:
  Mutex mu_;
  std::map<std::string, GrpcServing> all_ GUARDED_BY(mu_);
};

// A client over the library's generic stub, each call waited for.
class TestStub {
 public:
  explicit TestStub(const std::string& address)
      : stub_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())) {}

  grpc::Status call(std::string_view method, const std::string& request, std::string& response) {
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const grpc::ByteBuffer sent = buffer(request);
    grpc::ByteBuffer received;
    grpc::Status status;
    auto call = stub_.PrepareUnaryCall(&context, std::string(method), sent, &queue);
    call->StartCall();
    call->Finish(&received, &status, this);
    wait(queue);
    if (status.ok()) response = text(received);
    return status;
  }

  static grpc::ByteBuffer buffer(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  }
  static std::string text(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(buffer.Dump(&slices).ok());
    std::string out;
    for (const auto& slice : slices)
      out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return out;
  }
  static bool wait(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
    return ok;
  }
  grpc::GenericStub& stub() { return stub_; }

 private:
  grpc::GenericStub stub_;
};

class GrpcHealthServerTest : public testing::Test {
 protected:
  GrpcHealthServerTest() {
    services_.set("", GrpcServing::kServing);
    services_.set("db", GrpcServing::kNotServing);
    auto opened = GrpcHealthServer::open({.address = "127.0.0.1:0", .max_watches = 1},
                                         services_.source(), registry_);
    EXPECT_TRUE(opened) << opened.error().message;
    server_ = *std::move(opened);
    stub_ = std::make_unique<TestStub>(server_->address());
  }

  Services services_;
  Registry registry_;
  std::unique_ptr<GrpcHealthServer> server_;
  std::unique_ptr<TestStub> stub_;
};

TEST_F(GrpcHealthServerTest, ChecksAndListsServices) {
  std::string response;
  ASSERT_TRUE(stub_->call(kGrpcHealthCheck, "", response).ok());
  EXPECT_EQ(read_grpc_health_response(response), GrpcServing::kServing);
  ASSERT_TRUE(stub_->call(kGrpcHealthCheck, write_grpc_health_request("db"), response).ok());
  EXPECT_EQ(read_grpc_health_response(response), GrpcServing::kNotServing);
  const auto none = stub_->call(kGrpcHealthCheck, write_grpc_health_request("x"), response);
  EXPECT_EQ(none.error_code(), grpc::StatusCode::NOT_FOUND);
  const auto broken = stub_->call(kGrpcHealthCheck, "\x0a\xff", response);
  EXPECT_EQ(broken.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto other = stub_->call("/grpc.health.v1.Health/Nothing", "", response);
  EXPECT_EQ(other.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  ASSERT_TRUE(stub_->call(kGrpcHealthList, "", response).ok());
  EXPECT_NE(response.find("db"), std::string::npos);
}

TEST_F(GrpcHealthServerTest, WatchTellsEachChange) {
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto call = stub_->stub().PrepareCall(&context, std::string(kGrpcHealthWatch), &queue);
  call->StartCall(this);
  ASSERT_TRUE(TestStub::wait(queue));
  call->Write(TestStub::buffer(write_grpc_health_request("app")), this);
  ASSERT_TRUE(TestStub::wait(queue));
  const auto next = [&] {
    grpc::ByteBuffer told;
    call->Read(&told, this);
    EXPECT_TRUE(TestStub::wait(queue));
    return read_grpc_health_response(TestStub::text(told)).value();
  };
  EXPECT_EQ(next(), GrpcServing::kServiceUnknown);
  services_.set("app", GrpcServing::kServing);
  server_->changed();
  server_->changed();  // says nothing new
  EXPECT_EQ(next(), GrpcServing::kServing);
  services_.set("app", GrpcServing::kNotServing);
  server_->changed();
  EXPECT_EQ(next(), GrpcServing::kNotServing);
  // Another one is one too many.
  std::string response;
  EXPECT_EQ(stub_->call(kGrpcHealthWatch, "", response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  server_.reset();  // ends the call
  grpc::Status status;
  call->Finish(&status, this);
  TestStub::wait(queue);
  EXPECT_FALSE(status.ok());
}

TEST_F(GrpcHealthServerTest, ATakenPortIsRefused) {
  EXPECT_EQ(GrpcHealthServer::open({.address = server_->address()}, services_.source(), registry_)
                .error()
                .code,
            Code::kFailedPrecondition);
}

}  // namespace
}  // namespace binnacle::net
