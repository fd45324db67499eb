#include "net/grpc_health_server.h"

#include <gtest/gtest.h>

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/security/credentials.h>

#include "base/file_system.h"
#include "base/mutex.h"
#include "net/grpc_admission.h"
#include "net/test_certificates.h"

namespace binnacle::net {
namespace {

// OpenSSL and gRPC come without the thread sanitizer's instruments: what they hand to each other
// looks like races to it.
#if __has_feature(thread_sanitizer)
constexpr bool kTlsLooksLikeRaces = true;
#else
constexpr bool kTlsLooksLikeRaces = false;
#endif
constexpr std::string_view kNoInstruments =
    "gRPC's TLS is without the thread sanitizer's instruments";

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
  explicit TestStub(const std::string& address,
                    const std::shared_ptr<grpc::ChannelCredentials>& credentials =
                        grpc::InsecureChannelCredentials())
      : stub_(grpc::CreateChannel(address, credentials)) {}

  grpc::Status call(std::string_view method, const std::string& request, std::string& response,
                    const std::string& key = "") {
    grpc::ClientContext context;
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
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

// One key, and what it was asked for.
class OneKey final : public Guard {
 public:
  std::optional<Response> admit(Request& request, const Route& route) override {
    const MutexLock lock(mu_);
    const Connection& from = *request.connection;
    asked_.push_back(std::string(role_name(*route.role)) + " " + std::string(request.path) + " " +
                     from.peer_address + (from.peer_is_loopback ? " near" : " far") +
                     (from.tls ? " tls " : " plain ") + from.client_certificate + " " +
                     from.listener);
    EXPECT_NE(from.peer_port, 0);
    const std::string_view key = request.header("Authorization");
    if (*route.role == Role::kPublic || key == "Bearer good" || !from.client_certificate.empty())
      return std::nullopt;
    if (key.empty()) return Response::error({Code::kUnauthenticated, "show a \"key\""});
    if (key == "Bearer many") return Response::error({Code::kResourceExhausted, "too many"});
    return Response::error({Code::kPermissionDenied, "not with that key"});
  }
  std::vector<std::string> asked() {
    const MutexLock lock(mu_);
    return std::exchange(asked_, {});
  }

 private:
  Mutex mu_;
  std::vector<std::string> asked_ GUARDED_BY(mu_);
};

class GrpcHealthDoorTest : public testing::Test {
 protected:
  GrpcHealthDoorTest() {
    services_.set("", GrpcServing::kServing);
    services_.set("db", GrpcServing::kNotServing);
    std::string name = testing::TempDir() + "binnacle-grpc-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name + "/";
    write("ca.pem", authority_.certificate());
    const auto pair = authority_.issue("server", "DNS:localhost,IP:127.0.0.1");
    write("server.pem", pair.certificate);
    write("server.key", pair.key);
  }
  ~GrpcHealthDoorTest() override { (void)files_.remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) {
    CHECK(files_.write_file_atomically(folder_ + name, bytes, 0600).has_value());
  }
  // "" is plain, else with that file of client authorities, or "-" for none.
  void open(const std::string& client_ca, bool required = false) {
    GrpcHealthServerOptions options{.address = "127.0.0.1:0", .guard = &guard_};
    if (!client_ca.empty())
      options.tls = {.certificate_file = folder_ + "server.pem",
                     .key_file = folder_ + "server.key"};
    if (client_ca.size() > 1) options.tls.client_ca_file = folder_ + client_ca;
    options.tls.require_client_certificate = required;
    auto opened = GrpcHealthServer::open(options, services_.source(), registry_);
    ASSERT_TRUE(opened) << opened.error().message;
    server_ = *std::move(opened);
  }
  // What trusts our authority, and shows `certificate` where there is one.
  std::unique_ptr<TestStub> stub(const CertificateAndKey& certificate = {}) {
    const grpc::SslCredentialsOptions options{authority_.certificate(), certificate.key,
                                              certificate.certificate};
    return std::make_unique<TestStub>(server_->address(), grpc::SslCredentials(options));
  }

  FileSystem& files_ = real_file_system();
  TestAuthority authority_{"grpc authority"};
  std::string folder_;
  Services services_;
  Registry registry_;
  OneKey guard_;
  std::unique_ptr<GrpcHealthServer> server_;
};

TEST_F(GrpcHealthDoorTest, AllButTheProcessItselfAsksForAKey) {
  open("");
  TestStub client(server_->address());
  const std::string db = write_grpc_health_request("db");
  std::string response;
  EXPECT_TRUE(client.call(kGrpcHealthCheck, "", response).ok());
  EXPECT_EQ(guard_.asked(), std::vector<std::string>{
                                "public /grpc.health.v1.Health/Check 127.0.0.1 near plain  grpc"});
  for (const std::string_view method : {kGrpcHealthCheck, kGrpcHealthWatch, kGrpcHealthList}) {
    const auto unknown = client.call(method, db, response);
    EXPECT_EQ(unknown.error_code(), grpc::StatusCode::UNAUTHENTICATED) << method;
    EXPECT_EQ(unknown.error_message(), "show a \"key\"");
    EXPECT_EQ(client.call(method, db, response, "other").error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(client.call(method, db, response, "many").error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(guard_.asked().size(), 3u);
  }
  // Who may not ask learns nothing of what there is.
  EXPECT_EQ(client.call(kGrpcHealthCheck, write_grpc_health_request("x"), response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(client.call(kGrpcHealthCheck, db, response, "good").ok());
  EXPECT_TRUE(client.call(kGrpcHealthList, "", response, "good").ok());
}

TEST_F(GrpcHealthDoorTest, OverTls) {
  if (kTlsLooksLikeRaces) GTEST_SKIP() << kNoInstruments;
  open("-");
  std::string response;
  EXPECT_TRUE(
      stub()->call(kGrpcHealthCheck, write_grpc_health_request("db"), response, "good").ok());
  EXPECT_EQ(guard_.asked(), std::vector<std::string>{
                                "viewer /grpc.health.v1.Health/Check 127.0.0.1 near tls  grpc"});
  EXPECT_EQ(stub()->call(kGrpcHealthList, "", response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(TestStub(server_->address()).call(kGrpcHealthCheck, "", response).error_code(),
            grpc::StatusCode::UNAVAILABLE)
      << "plain";
}

TEST_F(GrpcHealthDoorTest, AClientCertificateIsTold) {
  if (kTlsLooksLikeRaces) GTEST_SKIP() << kNoInstruments;
  open("ca.pem");
  std::string response;
  EXPECT_TRUE(stub(authority_.issue("probe-1", ""))->call(kGrpcHealthList, "", response).ok());
  EXPECT_EQ(guard_.asked(),
            std::vector<std::string>{
                "viewer /grpc.health.v1.Health/List 127.0.0.1 near tls CN=probe-1 grpc"});
  EXPECT_EQ(stub()->call(kGrpcHealthList, "", response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  // Of another authority: not even heard.
  EXPECT_EQ(stub(TestAuthority("other").issue("probe-1", ""))
                ->call(kGrpcHealthCheck, "", response)
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
  guard_.asked();
  open("ca.pem", true);
  EXPECT_EQ(stub()->call(kGrpcHealthCheck, "", response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(guard_.asked().empty());
  EXPECT_TRUE(stub(authority_.issue("probe-1", ""))->call(kGrpcHealthCheck, "", response).ok());
}

TEST(GrpcPeer, IsReadAsAnAddress) {
  const auto read = [](std::string_view peer) {
    Connection from;
    read_grpc_peer(peer, from);
    return from.peer_address + "|" + std::to_string(from.peer_port) +
           (from.peer_is_loopback ? "|near" : "|far");
  };
  EXPECT_EQ(read("ipv4:127.0.0.1:4711"), "127.0.0.1|4711|near");
  EXPECT_EQ(read("ipv4:10.1.2.3:80"), "10.1.2.3|80|far");
  EXPECT_EQ(read("ipv6:%5B::1%5D:4711"), "::1|4711|near");
  EXPECT_EQ(read("ipv6:[2001:db8::7]:1"), "2001:db8::7|1|far");
  EXPECT_EQ(read("unix:/run/x"), "|0|far");
  EXPECT_EQ(read(""), "|0|far");
  EXPECT_EQ(read("ipv4:"), "|0|far");
}

}  // namespace
}  // namespace binnacle::net
