#include "engine/pipeline/worker_server.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/pipeline_messages.h"
#include "engine/pipeline/worker_calls.h"
#include "net/grpc_log.h"
#include "net/listen_address.h"

namespace binnacle::engine {
namespace {

constexpr const char* kServiceName = "binnacle.engine.v1.Worker";

std::optional<std::string_view> metadata(const grpc::GenericCallbackServerContext& context,
                                         const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

Status check_protocol(const grpc::GenericCallbackServerContext& context) {
  const auto spoken = metadata(context, kProtocolKey);
  if (spoken == std::to_string(kPipelineProtocol)) return {};
  return fail(Code::kFailedPrecondition,
              "protocol " + std::string(spoken.value_or("(none)")) +
                  " is not spoken here: this worker speaks " + std::to_string(kPipelineProtocol) +
                  "; run the same version of binnacle-engine on both ends");
}

Result<ClientId> client_of(const grpc::GenericCallbackServerContext& context) {
  const std::string_view text = metadata(context, kClientKey).value_or("");
  ClientId client = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), client, 16);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(Code::kInvalidArgument, std::string(kClientKey) + ": 16 hex digits are wanted");
  return client;
}

}  // namespace

struct WorkerServer::Impl final : grpc::CallbackGenericService {
  Impl(WorkerServerOptions o, Source s, Stage& stage, FileSystem& files, const Clock& clock,
       Registry& registry)
      : options(std::move(o)),
        source(std::move(s)),
        refusals(registry),
        calls(stage, files, clock, registry) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;
  Result<grpc::ServerGenericBidiReactor*> reactor(grpc::GenericCallbackServerContext& context);
  grpc::ServerGenericBidiReactor* load(ClientId client);
  grpc::ServerGenericBidiReactor* unload(ClientId client);
  Result<grpc::ServerGenericBidiReactor*> forward(ClientId client);
  Result<grpc::ServerGenericBidiReactor*> fetch();

  const WorkerServerOptions options;
  const Source source;
  Registry& refusals;
  WorkerCalls calls;
  std::atomic<bool> draining{false};
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

grpc::ServerGenericBidiReactor* WorkerServer::Impl::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const auto made = reactor(*context);
  if (made) return *made;
  refusals
      .counter("binnacle_engine_calls_refused_total", "Calls that were refused, by reason.",
               {{"reason", std::string(code_name(made.error().code))}})
      .add();
  return refused_call(made.error());
}

Result<grpc::ServerGenericBidiReactor*> WorkerServer::Impl::reactor(
    grpc::GenericCallbackServerContext& context) {
  const std::string& method = context.method();
  if (!method.starts_with(std::string("/") + kServiceName + "/"))
    return fail(Code::kUnimplemented, method + ": not served here");
  TRY(check_protocol(context));
  TRY_ASSIGN(const ClientId client, client_of(context));
  if (method == kForwardMethod) return forward(client);
  if (method == kFetchMethod) return fetch();
  if (method == kLoadMethod) {
    if (draining) return fail(Code::kUnavailable, "this worker is being stopped");
    return load(client);
  }
  if (method == kUnloadMethod) return unload(client);
  if (method == kDescribeMethod) {
    return unary_call(
        [this](std::string_view, const auto& answer) { answer(write_facts(source.facts())); });
  }
  if (method == kStatsMethod) {
    return unary_call(
        [this](std::string_view, const auto& answer) { answer(write_text(source.stats())); });
  }
  return fail(Code::kUnimplemented, method + ": not served here");
}

grpc::ServerGenericBidiReactor* WorkerServer::Impl::load(ClientId client) {
  return unary_call([this, client](std::string_view request, auto answer) {
    auto order = read_load(request);
    if (!order) return answer(Unexpected(std::move(order).error()));
    calls.stage.load(client, *std::move(order), [answer = std::move(answer)](const Status& done) {
      if (!done) return answer(Unexpected(done.error()));
      answer(std::string());
    });
  });
}

grpc::ServerGenericBidiReactor* WorkerServer::Impl::unload(ClientId client) {
  return unary_call([this, client](std::string_view, auto answer) {
    calls.stage.unload(client, [answer = std::move(answer)](const Status& done) {
      if (!done) return answer(Unexpected(done.error()));
      answer(std::string());
    });
  });
}

Result<grpc::ServerGenericBidiReactor*> WorkerServer::Impl::forward(ClientId client) {
  if (draining) return fail(Code::kUnavailable, "this worker is being stopped");
  if (calls.streams >= options.max_streams)
    return fail(Code::kResourceExhausted,
                std::to_string(options.max_streams) + " streams are open already");
  return forward_call(calls, client);
}

Result<grpc::ServerGenericBidiReactor*> WorkerServer::Impl::fetch() {
  if (++calls.fetches > options.max_fetches) {
    --calls.fetches;
    return fail(Code::kResourceExhausted,
                std::to_string(options.max_fetches) + " peers fetch weights already");
  }
  return fetch_call(calls, options.models_folder);
}

Result<std::unique_ptr<WorkerServer>> WorkerServer::open(WorkerServerOptions options, Source source,
                                                         Stage& stage, FileSystem& files,
                                                         const Clock& clock, Registry& registry) {
  TRY_ASSIGN(const net::ListenAddress parsed, net::ListenAddress::parse(options.listen));
  if (!parsed.unix_path.empty())
    return fail(Code::kInvalidArgument, "gRPC on " + options.listen + ": write host:port");
  net::take_grpc_log();
  TRY_ASSIGN(const auto credentials, server_credentials(options.tls, files));
  auto impl =
      std::make_unique<Impl>(std::move(options), std::move(source), stage, files, clock, registry);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int port = 0;
  const std::string host = parsed.host.empty() ? "::" : parsed.host;
  builder.AddListeningPort(net::format_host_port(host, parsed.port), credentials, &port);
  // Two workers on one port would share its calls unseen.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswerMs);
  // Half of what an orchestrator keeps to: its pings are never too many.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kKeepaliveMs / 2);
  builder.SetMaxReceiveMessageSize(impl->options.max_message_bytes);
  builder.SetMaxSendMessageSize(impl->options.max_message_bytes);
  builder.RegisterCallbackGenericService(impl.get());
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || port == 0) {
    return fail(Code::kFailedPrecondition,
                "gRPC on " + impl->options.listen +
                    ": the address cannot be bound: another program has it, or this machine has "
                    "none such");
  }
  impl->server->GetHealthCheckService()->SetServingStatus(kServiceName, true);
  impl->address = net::format_host_port(host, static_cast<uint16_t>(port));
  return std::unique_ptr<WorkerServer>(new WorkerServer(std::move(impl)));
}

WorkerServer::WorkerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WorkerServer::~WorkerServer() {
  drain();
  impl_->calls.stage.stop();
  impl_->server->Shutdown(std::chrono::system_clock::time_point());  // past: cancels what is open
  impl_->server->Wait();
  impl_->calls.file_reading.stop();
}

void WorkerServer::drain() {
  impl_->draining = true;
  impl_->server->GetHealthCheckService()->Shutdown();
}

size_t WorkerServer::streams() const { return impl_->calls.streams; }

std::string WorkerServer::address() const { return impl_->address; }

}  // namespace binnacle::engine
