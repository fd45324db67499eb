#include "net/grpc_health_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <functional>
#include <vector>

#include "net/grpc_log.h"
#include "net/in_flight.h"
#include "net/tls_files.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr int kMaxMessageBytes = 64 * 1024;
// gRPC keeps the deadline itself; this much later nobody waits for it.
constexpr milliseconds kSlack{1'000};

grpc::ByteBuffer request_of(const std::string& service) {
  const grpc::Slice slice(write_grpc_health_request(service));
  return grpc::ByteBuffer(&slice, 1);
}

Result<GrpcServing> serving_of(const grpc::ByteBuffer& response) {
  std::vector<grpc::Slice> slices;
  if (!response.Dump(&slices).ok()) return fail(Code::kDataLoss, "gRPC: an answer without bytes");
  std::string bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return read_grpc_health_response(bytes);
}

Error error_of(const grpc::Status& status) {
  constexpr std::pair<grpc::StatusCode, Code> kCodes[] = {
      {grpc::StatusCode::NOT_FOUND, Code::kNotFound},
      {grpc::StatusCode::UNIMPLEMENTED, Code::kUnimplemented},
      {grpc::StatusCode::DEADLINE_EXCEEDED, Code::kDeadlineExceeded},
      {grpc::StatusCode::UNAVAILABLE, Code::kUnavailable},
      {grpc::StatusCode::UNAUTHENTICATED, Code::kUnauthenticated},
      {grpc::StatusCode::PERMISSION_DENIED, Code::kPermissionDenied},
      {grpc::StatusCode::CANCELLED, Code::kUnavailable}};
  const auto* known =
      std::ranges::find(kCodes, status.error_code(), &std::pair<grpc::StatusCode, Code>::first);
  return {known == std::end(kCodes) ? Code::kFailedPrecondition : known->second,
          "gRPC: " + status.error_message()};
}

// gRPC's threads write `response` and `status`, then post to `executor`; what waits there reads
// them. Shared by both, so that a late answer finds its place.
struct Question : std::enable_shared_from_this<Question> {
  Question(const asio::any_io_executor& on, InFlight& all)
      : executor(on), in_flight(all), answered(on) {}

  // On a thread of gRPC's, once.
  void done(const grpc::Status& with) {
    status = with;
    InFlight& all = in_flight;
    const uint64_t at = id;
    asio::post(executor, [self = shared_from_this()] {
      self->ended = true;
      self->answered.cancel();
    });
    all.remove(at);  // the executor may be gone from here on, and this question with it
  }

  const asio::any_io_executor executor;
  InFlight& in_flight;
  uint64_t id = 0;  // there
  std::shared_ptr<grpc::Channel> channel;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  bool got_response = false;  // of a stream

  // Executor only
  asio::steady_timer answered;
  bool ended = false;
};

// Reads the first message of a stream and ends it. Deletes itself when gRPC says so.
class FirstMessage final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit FirstMessage(Question& question) : question_(question) {}

  void start(grpc::GenericStub& stub) {
    stub.PrepareBidiStreamingCall(&question_.context, std::string(kGrpcHealthWatch), {}, this);
    StartWriteLast(&question_.request, {});
    StartRead(&question_.response);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override {
    question_.got_response = ok;
    question_.context.TryCancel();
  }
  void OnDone(const grpc::Status& status) override {
    question_.done(question_.got_response ? grpc::Status::OK : status);
    delete this;
  }

  Question& question_;
};

}  // namespace

std::string_view serving_name(GrpcServing serving) {
  constexpr std::string_view kNames[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
  return kNames[static_cast<size_t>(serving)];
}

struct GrpcHealthClient::Impl {
  Impl(GrpcHealthClientOptions client_options, FileSystem& file_system)
      : options(std::move(client_options)), files(file_system) {}

  Result<std::shared_ptr<grpc::ChannelCredentials>> credentials() const;
  Result<std::shared_ptr<grpc::Channel>> channel() const;
  Result<std::string> token() const;
  asio::awaitable<Result<GrpcServing>> ask(const std::string& service, milliseconds timeout,
                                           std::function<void(Question&)> start);

  // Fixed after construction
  const GrpcHealthClientOptions options;
  FileSystem& files;

  InFlight in_flight;  // has its own lock
};

Result<std::shared_ptr<grpc::ChannelCredentials>> GrpcHealthClient::Impl::credentials() const {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  const TlsClientOptions& tls = options.tls_options;
  TRY_ASSIGN(const auto ca, read_pem_file(files, tls.ca_file, "CA certificates"));
  TRY_ASSIGN(const auto certificate, read_pem_file(files, tls.certificate_file, "certificate"));
  TRY_ASSIGN(const auto key, read_pem_file(files, tls.key_file, "key"));
  grpc::SslCredentialsOptions made;
  made.pem_root_certs = ca.bytes.empty() ? tls.ca_pem : ca.bytes;
  made.pem_cert_chain = certificate.bytes.empty() ? tls.certificate_pem : certificate.bytes;
  made.pem_private_key = key.bytes.empty() ? tls.key_pem : key.bytes;
  return grpc::SslCredentials(made);
}

Result<std::shared_ptr<grpc::Channel>> GrpcHealthClient::Impl::channel() const {
  TRY_ASSIGN(const auto made, credentials());
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  if (!options.tls_options.server_name.empty())
    arguments.SetSslTargetNameOverride(options.tls_options.server_name);
  return grpc::CreateCustomChannel(options.target, made, arguments);
}

Result<std::string> GrpcHealthClient::Impl::token() const {
  if (!options.bearer_token) return std::string();
  TRY_ASSIGN(std::string text, options.bearer_token());
  // gRPC ends the process at a value that HTTP/2 cannot carry.
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  if (std::ranges::all_of(text, printable)) return text;
  return fail(Code::kInvalidArgument, "gRPC: the bearer token holds more than printable ASCII");
}

asio::awaitable<Result<GrpcServing>> GrpcHealthClient::Impl::ask(
    const std::string& service, milliseconds timeout, std::function<void(Question&)> start) {
  auto opened = channel();
  if (!opened) co_return fail(std::move(opened).error());
  const auto shown = token();
  if (!shown) co_return fail(shown.error());
  const auto executor = co_await asio::this_coro::executor;
  const auto question = std::make_shared<Question>(executor, in_flight);
  question->channel = std::move(*opened);
  question->request = request_of(service);
  if (!shown->empty()) question->context.AddMetadata("authorization", "Bearer " + *shown);
  question->context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                              gpr_time_from_millis(timeout.count(), GPR_TIMESPAN)));
  // Keeps the question until gRPC has done with it.
  question->id = in_flight.add([question] { question->context.TryCancel(); });
  question->answered.expires_after(timeout + kSlack);
  start(*question);
  co_await question->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!question->ended) {
    question->context.TryCancel();
    co_return fail(Code::kDeadlineExceeded, "gRPC: no answer in time");
  }
  if (!question->status.ok()) co_return fail(error_of(question->status));
  co_return serving_of(question->response);
}

GrpcHealthClient::GrpcHealthClient(GrpcHealthClientOptions options, FileSystem& files)
    : impl_(new Impl(std::move(options), files)) {
  take_grpc_log();
}
GrpcHealthClient::~GrpcHealthClient() = default;

asio::awaitable<Result<GrpcServing>> GrpcHealthClient::check(std::string service,
                                                             milliseconds timeout) {
  return impl_->ask(service, timeout, [](Question& question) {
    grpc::GenericStub stub(question.channel);
    stub.UnaryCall(&question.context, std::string(kGrpcHealthCheck), {}, &question.request,
                   &question.response,
                   [&question](const grpc::Status& status) { question.done(status); });
  });
}

asio::awaitable<Result<GrpcServing>> GrpcHealthClient::watch_once(std::string service,
                                                                  milliseconds timeout) {
  return impl_->ask(service, timeout, [](Question& question) {
    grpc::GenericStub stub(question.channel);
    (new FirstMessage(question))->start(stub);
  });
}

}  // namespace binnacle::net
