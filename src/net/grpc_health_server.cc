#include "net/grpc_health_server.h"

#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include "base/mutex.h"
#include "net/grpc_admission.h"
#include "net/grpc_log.h"
#include "net/listen_address.h"

namespace binnacle::net {
namespace {

constexpr int kMaxRequestBytes = 64 * 1024;
constexpr unsigned kCertificateLookSeconds = 10;

grpc::ByteBuffer buffer_of(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

Result<std::string> bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return fail(Code::kInvalidArgument, "a request that is cut");
  std::string bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

grpc::Status status_of(const Error& error) {
  auto code = grpc::StatusCode::INTERNAL;
  if (error.code == Code::kInvalidArgument) code = grpc::StatusCode::INVALID_ARGUMENT;
  if (error.code == Code::kNotFound) code = grpc::StatusCode::NOT_FOUND;
  if (error.code == Code::kUnauthenticated) code = grpc::StatusCode::UNAUTHENTICATED;
  if (error.code == Code::kPermissionDenied) code = grpc::StatusCode::PERMISSION_DENIED;
  if (error.code == Code::kResourceExhausted) code = grpc::StatusCode::RESOURCE_EXHAUSTED;
  return {code, error.message};
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const TlsServerOptions& tls) {
  if (tls.certificate_file.empty()) return grpc::InsecureServerCredentials();
  namespace lib = grpc::experimental;
  lib::TlsServerCredentialsOptions options(std::make_shared<lib::FileWatcherCertificateProvider>(
      tls.key_file, tls.certificate_file, tls.client_ca_file, kCertificateLookSeconds));
  options.watch_identity_key_cert_pairs();
  if (!tls.client_ca_file.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(tls.require_client_certificate
                                      ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return lib::TlsServerCredentials(options);
}

class WatchCall;

// What all calls share.
struct Shared {
  Shared(GrpcHealthSource s, const GrpcHealthServerOptions& options, Registry& registry)
      : source(std::move(s)),
        max_watches(options.max_watches),
        admission(options.guard, std::string(kGrpcListener), RouteGroup::kProbes),
        calls(registry.counter("binnacle_grpc_health_requests_total",
                               "Calls of the gRPC health service.")),
        watching(registry.gauge("binnacle_grpc_health_watches",
                                "Open calls of Watch of the gRPC health service.")) {}

  // Fixed after construction.
  const GrpcHealthSource source;
  const size_t max_watches;
  const GrpcAdmission admission;
  Counter& calls;
  Gauge& watching;

  Mutex mu;  // before a call's own
  std::set<WatchCall*> watches GUARDED_BY(mu);
};

// One request, one response.
class OneCall final : public grpc::ServerGenericBidiReactor {
 public:
  using Answer = std::function<Result<std::string>(const std::string& request)>;
  explicit OneCall(Answer answer) : answer_(std::move(answer)) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::INVALID_ARGUMENT, "no request"});
    Result<std::string> bytes = bytes_of(request_);
    if (bytes) bytes = answer_(*bytes);
    if (!bytes) return Finish(status_of(bytes.error()));
    response_ = buffer_of(*bytes);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  const Answer answer_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class RefusedCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusedCall(grpc::Status status) { Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

// Tells what a service is, and again when it is another. One write at a time; between two of them
// only the newest counts.
class WatchCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit WatchCall(Shared& shared) : shared_(shared) {
    {
      const MutexLock lock(shared_.mu);
      shared_.watches.insert(this);
      shared_.watching.set(static_cast<double>(shared_.watches.size()));
    }
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    Result<std::string> service = fail(Code::kInvalidArgument, "no request");
    if (ok) service = bytes_of(request_);
    if (service) service = read_grpc_health_request(*service);
    {
      const MutexLock lock(mu_);
      if (!service) return finish({grpc::StatusCode::INVALID_ARGUMENT, service.error().message});
      service_ = *std::move(service);
      known_ = true;
    }
    look();
  }

  void OnWriteDone(bool ok) override {
    {
      const MutexLock lock(mu_);
      writing_ = false;
      if (!ok || cancelled_) return finish(grpc::Status::CANCELLED);
    }
    look();
  }

  void OnCancel() override {
    const MutexLock lock(mu_);
    cancelled_ = true;
    if (!writing_) finish(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    {
      const MutexLock lock(shared_.mu);
      shared_.watches.erase(this);
      shared_.watching.set(static_cast<double>(shared_.watches.size()));
    }
    delete this;
  }

  void look() EXCLUDES(mu_) {
    std::string service;
    {
      const MutexLock lock(mu_);
      if (!known_ || finished_) return;
      service = service_;
    }
    const GrpcServing now = shared_.source.look(service).value_or(GrpcServing::kServiceUnknown);
    const MutexLock lock(mu_);
    if (writing_ || finished_ || cancelled_ || told_ == now) return;
    told_ = now;
    writing_ = true;
    response_ = buffer_of(write_grpc_health_response(now));
    StartWrite(&response_);
  }

 private:
  void finish(grpc::Status status) REQUIRES(mu_) {
    if (std::exchange(finished_, true)) return;
    Finish(std::move(status));
  }

  Shared& shared_;
  grpc::ByteBuffer request_;   // gRPC's while it reads
  grpc::ByteBuffer response_;  // gRPC's while it writes

  Mutex mu_;
  std::string service_ GUARDED_BY(mu_);
  bool known_ GUARDED_BY(mu_) = false;
  std::optional<GrpcServing> told_ GUARDED_BY(mu_);
  bool writing_ GUARDED_BY(mu_) = false;
  bool cancelled_ GUARDED_BY(mu_) = false;
  bool finished_ GUARDED_BY(mu_) = false;
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(Shared& shared) : shared_(shared) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    shared_.calls.add();
    const std::string& method = context->method();
    if (method == kGrpcHealthCheck) {
      return new OneCall(
          [this, context](const std::string& request) { return check(*context, request); });
    }
    if (method != kGrpcHealthList && method != kGrpcHealthWatch)
      return new RefusedCall({grpc::StatusCode::UNIMPLEMENTED, method + ": not served here"});
    if (const auto admitted = shared_.admission.admit(*context, Role::kViewer); !admitted)
      return new RefusedCall(status_of(admitted.error()));
    if (method == kGrpcHealthList) {
      return new OneCall([this](const std::string&) -> Result<std::string> {
        return write_grpc_health_list(shared_.source.list());
      });
    }
    if (full())
      return new RefusedCall({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watch already"});
    return new WatchCall(shared_);
  }

 private:
  bool full() {
    const MutexLock lock(shared_.mu);
    return shared_.watches.size() >= shared_.max_watches;
  }
  Result<std::string> check(const grpc::GenericCallbackServerContext& context,
                            const std::string& request) const {
    TRY_ASSIGN(const std::string service, read_grpc_health_request(request));
    TRY(shared_.admission.admit(context, service.empty() ? Role::kPublic : Role::kViewer));
    const auto serving = shared_.source.look(service);
    if (!serving) return fail(Code::kNotFound, "unknown service: " + service);
    return write_grpc_health_response(*serving);
  }

  Shared& shared_;
};

}  // namespace

struct GrpcHealthServer::Impl {
  Impl(GrpcHealthSource source, const GrpcHealthServerOptions& options, Registry& registry)
      : shared(std::move(source), options, registry), service(shared) {}

  Shared shared;
  Service service;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

Result<std::unique_ptr<GrpcHealthServer>> GrpcHealthServer::open(GrpcHealthServerOptions options,
                                                                 GrpcHealthSource source,
                                                                 Registry& registry) {
  TRY_ASSIGN(const ListenAddress parsed, ListenAddress::parse(options.address));
  if (!parsed.unix_path.empty())
    return fail(Code::kInvalidArgument, "gRPC on " + options.address + ": write host:port");
  const std::string host = parsed.host.empty() ? "::" : parsed.host;
  take_grpc_log();
  auto impl = std::make_unique<Impl>(std::move(source), options, registry);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(format_host_port(host, parsed.port), credentials_of(options.tls), &port);
  // Two servers on one port would share its calls unseen.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  builder.RegisterCallbackGenericService(&impl->service);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || port == 0) {
    return fail(Code::kFailedPrecondition,
                "gRPC on " + options.address +
                    ": the address cannot be bound: another program has it, or this machine has "
                    "none such");
  }
  impl->address = format_host_port(host, static_cast<uint16_t>(port));
  return std::unique_ptr<GrpcHealthServer>(new GrpcHealthServer(std::move(impl)));
}

GrpcHealthServer::GrpcHealthServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcHealthServer::~GrpcHealthServer() {
  // A deadline that is past: calls of Watch never end by themselves.
  impl_->server->Shutdown(std::chrono::system_clock::time_point());
  impl_->server->Wait();
}

void GrpcHealthServer::changed() {
  const MutexLock lock(impl_->shared.mu);
  for (WatchCall* watch : impl_->shared.watches) watch->look();
}

std::string GrpcHealthServer::address() const { return impl_->address; }

}  // namespace binnacle::net
