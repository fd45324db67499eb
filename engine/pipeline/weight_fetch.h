// The files of a model from a worker that has them (FetchWeights of docs/formats/pipeline.md),
// written beside the other models under a hidden name. Blocks; one thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "engine/pipeline/pipeline_tls.h"

namespace binnacle::engine {

inline constexpr size_t kWeightPieceBytes = size_t{1} << 20;

struct FetchOptions {
  PipelineTls tls;
  uint64_t max_bytes = uint64_t{2} << 40;  // of a model
  int64_t silence_ms = 30'000;             // without a piece: given up
};

// Fills `folder`, which is made anew. kNotFound: the peer has no such model; kDataLoss: a checksum,
// or pieces that do not join; kResourceExhausted: max_bytes, or the disk has not so much;
// kCancelled: `stopping`. What was written is left for the caller to remove.
Status fetch_weights(const std::string& peer, const std::string& model, const std::string& folder,
                     const FetchOptions& options, FileSystem& files, Registry& registry,
                     const std::atomic<bool>& stopping);

}  // namespace binnacle::engine
