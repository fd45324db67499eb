// The messages of a Forward stream (docs/formats/pipeline.md), to and from bytes, checksum
// included. What comes from the network is never trusted: bounds are looked at before memory is
// taken. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/forward.h"

namespace binnacle::engine {

inline constexpr uint32_t kPipelineProtocol = 1;
inline constexpr size_t kMaxSlices = 4'096;  // of a step
inline constexpr int64_t kMaxRows = 65'536;

struct ForwardRequest {
  uint64_t epoch = 0;
  uint64_t number = 0;
  uint32_t timeout_ms = 0;
  std::vector<SequenceId> release;
  Step step;  // no slices: a release alone
};

struct ForwardAnswer {
  uint64_t number = 0;
  std::optional<Error> error;  // of the step; the rest is empty then
  StepResult result;
  double queue_seconds = 0;
  double compute_seconds = 0;
};

// Hidden values travel as `type`.
std::string write_forward_request(const ForwardRequest& request, NumberType type);
std::string write_forward_answer(const ForwardAnswer& answer, NumberType type);

// kDataLoss: the checksum is wrong; kInvalidArgument: the bytes are not such a message.
Result<ForwardRequest> read_forward_request(std::string_view bytes);
Result<ForwardAnswer> read_forward_answer(std::string_view bytes);

// gRPC's number of a code, and back; an unknown number is kInternal.
uint32_t grpc_number(Code code);
Code code_of_grpc_number(uint32_t number);

}  // namespace binnacle::engine
