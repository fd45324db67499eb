#include "engine/pipeline/worker_channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <fmt/format.h>

#include "engine/pipeline/control_messages.h"
#include "engine/pipeline/grpc_support.h"
#include "engine/pipeline/pipeline_messages.h"
#include "net/grpc_log.h"
#include "net/listen_address.h"

namespace binnacle::engine {
namespace {

// Between gRPC's own attempts to connect; the streams' waits are on top.
constexpr int kFirstReconnectMs = 50;
constexpr int kLongestReconnectMs = 1'000;
constexpr int kConnectTimeoutMs = 5'000;

// Unary calls alone may be sent twice; each of them does the same when it comes again.
constexpr const char* kServiceConfig = R"({"methodConfig": [{
  "name": [{"service": "binnacle.engine.v1.Worker", "method": "Describe"},
           {"service": "binnacle.engine.v1.Worker", "method": "Load"},
           {"service": "binnacle.engine.v1.Worker", "method": "Unload"},
           {"service": "binnacle.engine.v1.Worker", "method": "Stats"}],
  "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "0.5s",
                  "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

}  // namespace

Result<std::shared_ptr<grpc::Channel>> worker_channel(const std::string& address,
                                                      const PipelineTls& tls, int max_message_bytes,
                                                      FileSystem& files) {
  const auto parsed = net::ListenAddress::parse(address);
  if (!parsed || !parsed->unix_path.empty() || parsed->host.empty() || parsed->port == 0)
    return fail(Code::kInvalidArgument, "worker " + address + ": write host:port");
  net::take_grpc_log();
  TRY_ASSIGN(const auto credentials, channel_credentials(tls, files));
  grpc::ChannelArguments arguments;
  // A channel of its own for each: a broken connection is this one's alone.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswerMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetMaxReceiveMessageSize(max_message_bytes);
  arguments.SetMaxSendMessageSize(max_message_bytes);
  arguments.SetServiceConfigJSON(kServiceConfig);
  if (!tls.server_name.empty()) arguments.SetSslTargetNameOverride(tls.server_name);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

void add_call_metadata(grpc::ClientContext& context, uint64_t client) {
  context.AddMetadata(kProtocolKey, std::to_string(kPipelineProtocol));
  context.AddMetadata(kClientKey, fmt::format("{:016x}", client));
}

}  // namespace binnacle::engine
