// The messages of the gRPC health checking protocol (package grpc.health.v1, gRPC's
// "health checking protocol" document), without generated code: two messages of one field each, and
// the list. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <protozero/pbf_writer.hpp>

#include "base/error.h"
#include "base/protobuf_fields.h"

namespace binnacle::net {

inline constexpr std::string_view kGrpcHealthCheck = "/grpc.health.v1.Health/Check";
inline constexpr std::string_view kGrpcHealthWatch = "/grpc.health.v1.Health/Watch";
inline constexpr std::string_view kGrpcHealthList = "/grpc.health.v1.Health/List";

// HealthCheckResponse.ServingStatus, by its numbers.
enum class GrpcServing : uint8_t { kUnknown, kServing, kNotServing, kServiceUnknown };

// HealthCheckRequest { string service = 1; }
inline std::string write_grpc_health_request(std::string_view service) {
  std::string out;
  protozero::pbf_writer writer(out);
  if (!service.empty()) writer.add_string(1, service.data(), service.size());
  return out;
}

inline Result<std::string> read_grpc_health_request(std::string_view bytes) {
  std::string service;
  try {
    auto message = reader_of(bytes);
    while (message.next()) {
      if (message.tag() == 1) {
        service = view_of(message);
      } else {
        message.skip();
      }
    }
  } catch (const std::exception& error) {
    return fail(Code::kInvalidArgument, std::string("health request: ") + error.what());
  }
  return service;
}

// HealthCheckResponse { ServingStatus status = 1; }
inline std::string write_grpc_health_response(GrpcServing serving) {
  std::string out;
  protozero::pbf_writer writer(out);
  if (serving != GrpcServing::kUnknown) writer.add_enum(1, static_cast<int32_t>(serving));
  return out;
}

inline Result<GrpcServing> read_grpc_health_response(std::string_view bytes) {
  int64_t serving = 0;
  try {
    auto message = reader_of(bytes);
    while (message.next()) {
      if (message.tag() == 1) {
        serving = varint_of(message);
      } else {
        message.skip();
      }
    }
  } catch (const std::exception& error) {
    return fail(Code::kDataLoss,
                std::string("gRPC: the answer is no HealthCheckResponse: ") + error.what());
  }
  // A number of a later version says nothing that is known here.
  if (serving < 0 || serving > static_cast<int64_t>(GrpcServing::kServiceUnknown))
    return GrpcServing::kUnknown;
  return static_cast<GrpcServing>(serving);
}

// HealthListResponse { map<string, HealthCheckResponse> statuses = 1; }
inline std::string write_grpc_health_list(const std::map<std::string, GrpcServing>& all) {
  std::string out;
  protozero::pbf_writer writer(out);
  for (const auto& [service, serving] : all) {
    protozero::pbf_writer entry(writer, 1);
    entry.add_string(1, service.data(), service.size());
    const std::string response = write_grpc_health_response(serving);
    entry.add_message(2, response.data(), response.size());
  }
  return out;
}

}  // namespace binnacle::net
