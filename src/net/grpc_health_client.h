// Asks a gRPC server for its health by grpc.health.v1.Health: Check, and Watch up to its first
// word. gRPC's own threads do the work and hand the result to the caller's executor, so that a
// channel that hangs holds no thread of ours. A fresh channel for each question: a kept one would
// hide that no new one can be made. Any thread; a client outlives its questions.
// Source: the gRPC health checking protocol (grpc/health/v1/health.proto).
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file_system.h"
#include "net/grpc_health_messages.h"
#include "net/tls.h"

namespace binnacle::net {

std::string_view serving_name(GrpcServing serving);  // "NOT_SERVING"

struct GrpcHealthClientOptions {
  std::string target;  // host:port
  bool tls = false;
  TlsClientOptions tls_options;  // insecure_skip_verify is not possible with gRPC
  // Asked before each question; sent as `authorization: Bearer TOKEN` unless it is empty. Null:
  // none.
  std::function<Result<std::string>()> bearer_token = nullptr;
};

class GrpcHealthClient {
 public:
  GrpcHealthClient(GrpcHealthClientOptions options, FileSystem& files);
  ~GrpcHealthClient();
  GrpcHealthClient(const GrpcHealthClient&) = delete;
  GrpcHealthClient& operator=(const GrpcHealthClient&) = delete;

  // `service`: "" for the server as a whole. kNotFound: the server does not know the service;
  // kUnimplemented: it has no health service; kDeadlineExceeded; kUnavailable: no connection, TLS
  // refused; otherwise what the server says.
  boost::asio::awaitable<Result<GrpcServing>> check(std::string service,
                                                    std::chrono::milliseconds timeout);
  // A service that is not known is GrpcServing::kServiceUnknown here.
  boost::asio::awaitable<Result<GrpcServing>> watch_once(std::string service,
                                                         std::chrono::milliseconds timeout);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
