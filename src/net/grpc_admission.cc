#include "net/grpc_admission.h"

#include <charconv>
#include <utility>
#include <vector>

#include <grpc/grpc_security_constants.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/auth_context.h>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"
#include "net/listen_address.h"

namespace binnacle::net {
namespace {

std::string_view view_of(grpc::string_ref text) { return {text.data(), text.size()}; }

void read_tls(const grpc::GenericCallbackServerContext& context, Connection& connection) {
  const auto auth = context.auth_context();
  if (auth == nullptr) return;
  const auto kind = auth->FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME);
  // A plain connection has a kind, too.
  connection.tls = !kind.empty() && kind.front() == GRPC_TLS_TRANSPORT_SECURITY_TYPE;
  if (!connection.tls) return;
  // gRPC has verified it: a call of a client whose certificate is not good never comes so far.
  const auto subject = auth->FindPropertyValues(GRPC_X509_SUBJECT_PROPERTY_NAME);
  if (!subject.empty()) connection.client_certificate = view_of(subject.front());
}

Error error_of(const Response& refusal) {
  Code code = Code::kInternal;
  if (refusal.status == 401) code = Code::kUnauthenticated;
  if (refusal.status == 403 || refusal.status == 421) code = Code::kPermissionDenied;
  if (refusal.status == 429) code = Code::kResourceExhausted;
  const auto body = parse_json(refusal.body);
  const bool told = body.is_object() && body.contains("error") && body["error"].is_string();
  return {code,
          told ? body["error"].get<std::string>() : std::string(status_reason(refusal.status))};
}

}  // namespace

void read_grpc_peer(std::string_view peer, Connection& connection) {
  const size_t scheme = peer.find(':');
  const size_t colon = peer.rfind(':');
  if (!peer.starts_with("ipv") || colon == scheme) return;
  std::string_view host = peer.substr(scheme + 1, colon - scheme - 1);
  for (const std::string_view open : {"[", "%5B"}) {
    if (host.starts_with(open)) host.remove_prefix(open.size());
  }
  for (const std::string_view close : {"]", "%5D"}) {
    if (host.ends_with(close)) host.remove_suffix(close.size());
  }
  connection.peer_address = host;
  const std::string_view port = peer.substr(colon + 1);
  std::from_chars(port.data(), port.data() + port.size(), connection.peer_port);
  connection.peer_is_loopback = is_loopback_address(format_host_port(connection.peer_address, 0));
}

GrpcAdmission::GrpcAdmission(Guard* guard, std::string listener, RouteGroup group)
    : guard_(guard), listener_(std::move(listener)), group_(group) {}

Status GrpcAdmission::admit(const grpc::GenericCallbackServerContext& context, Role role) const {
  if (guard_ == nullptr) return {};
  Connection connection;
  read_grpc_peer(context.peer(), connection);
  read_tls(context, connection);
  connection.listener = listener_;
  std::vector<HeaderView> headers;
  for (const auto& [name, value] : context.client_metadata())
    headers.push_back({view_of(name), view_of(value)});
  Request request;
  request.method = Method::kPost;
  request.target = request.path = context.method();
  request.headers = headers;
  request.connection = &connection;
  Route route;
  route.method = request.method;
  route.pattern = context.method();
  route.group = group_;
  route.role = role;
  const auto refusal = guard_->admit(request, route);
  if (!refusal) return {};
  return fail(error_of(*refusal));
}

}  // namespace binnacle::net
