// The gRPC health checking protocol for others to ask: Check, Watch and List, on a port of its own,
// plain or over TLS. The server's guard is asked as for a route of HTTP: the process itself (the
// service "") is for everyone, all else for viewers. Who answers for a service is a function. Runs
// on gRPC's own threads; any thread may call changed().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/instruments.h"
#include "net/grpc_health_messages.h"
#include "net/router.h"
#include "net/tls.h"

namespace binnacle::net {

// Connection::listener of its calls.
inline constexpr std::string_view kGrpcListener = "grpc";

struct GrpcHealthServerOptions {
  std::string address;         // "127.0.0.1:8081", ":8081"
  TlsServerOptions tls;        // no certificate: plain; files that are renewed are read again
  Guard* guard = nullptr;      // asked on gRPC's threads, outlives the server; null: all may ask
  size_t max_watches = 1'000;  // RESOURCE_EXHAUSTED beyond
};

// Both are called on gRPC's threads and on that of changed(); quick.
struct GrpcHealthSource {
  std::function<std::optional<GrpcServing>(const std::string& service)> look;  // nullopt: none such
  std::function<std::map<std::string, GrpcServing>()> list;
};

class GrpcHealthServer {
 public:
  // Serves at once. kInvalidArgument: no address; kFailedPrecondition: it cannot be bound.
  static Result<std::unique_ptr<GrpcHealthServer>> open(GrpcHealthServerOptions options,
                                                        GrpcHealthSource source,
                                                        Registry& registry);
  ~GrpcHealthServer();  // ends all calls
  GrpcHealthServer(const GrpcHealthServer&) = delete;
  GrpcHealthServer& operator=(const GrpcHealthServer&) = delete;

  // Who watches is told where its service is another now.
  void changed();

  std::string address() const;  // with the port that was bound

 private:
  struct Impl;
  explicit GrpcHealthServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::net
