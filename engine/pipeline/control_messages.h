// The messages of the unary calls of a worker and of FetchWeights (docs/formats/pipeline.md), to
// and from bytes. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

inline constexpr std::string_view kDescribeMethod = "/binnacle.engine.v1.Worker/Describe";
inline constexpr std::string_view kLoadMethod = "/binnacle.engine.v1.Worker/Load";
inline constexpr std::string_view kUnloadMethod = "/binnacle.engine.v1.Worker/Unload";
inline constexpr std::string_view kStatsMethod = "/binnacle.engine.v1.Worker/Stats";
inline constexpr std::string_view kForwardMethod = "/binnacle.engine.v1.Worker/Forward";
inline constexpr std::string_view kFetchMethod = "/binnacle.engine.v1.Worker/FetchWeights";
inline constexpr const char* kProtocolKey = "binnacle-protocol";
inline constexpr const char* kClientKey = "binnacle-client";

std::string write_text(std::string_view text);
std::string write_facts(const WorkerFacts& facts);
std::string write_load(const LoadOrder& order);

// A part of one file of a model.
struct WeightPiece {
  std::string file;
  uint64_t file_bytes = 0;
  uint64_t offset = 0;
  std::string_view data;  // of the message that was read, or to write
  bool last = false;      // of the model
};
std::string write_piece(const WeightPiece& piece);

// kInvalidArgument: the bytes are not such a message; kDataLoss: a piece fails its checksum.
Result<std::string> read_text(std::string_view bytes);
Result<WorkerFacts> read_facts(std::string_view bytes);
Result<LoadOrder> read_load(std::string_view bytes);
Result<WeightPiece> read_piece(std::string_view bytes);

}  // namespace binnacle::engine
