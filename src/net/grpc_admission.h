// Asks the server's guard whether a gRPC call may go on: metadata are the request's headers, the
// verified client certificate its certificate, so that keys, roles, rates, lockouts and the audit
// log are those of HTTP. Any thread; fixed after construction.
#pragma once

#include <string>

#include "base/error.h"
#include "base/identity.h"
#include "net/router.h"

namespace grpc {
class GenericCallbackServerContext;
}

namespace binnacle::net {

class GrpcAdmission {
 public:
  // `guard` outlives it; null: everyone may do everything. `listener`: as the guard's options name
  // the port.
  GrpcAdmission(Guard* guard, std::string listener, RouteGroup group);

  // kUnauthenticated, kPermissionDenied or kResourceExhausted, with the guard's words.
  Status admit(const grpc::GenericCallbackServerContext& context, Role role) const;

 private:
  Guard* const guard_;
  const std::string listener_;
  const RouteGroup group_;
};

// "ipv4:127.0.0.1:4711", "ipv6:%5B::1%5D:4711": who a call came from, as of gRPC's peer(). Left
// empty where it is neither.
void read_grpc_peer(std::string_view peer, Connection& connection);

}  // namespace binnacle::net
