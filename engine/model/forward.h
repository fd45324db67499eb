// The computation of one range of layers over a batch of rows, with the KV cache of the sequences
// that it has seen. A row is one position of one sequence. What a row gives depends on its sequence
// alone, bit for bit: not on which other rows share the call, nor on how a prompt was cut into
// slices, where exact() says so. One thread at a time calls run(), release() and usage().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/model/model_config.h"
#include "engine/model/sampling.h"

namespace binnacle::engine {

using SequenceId = uint64_t;

// Consecutive positions of one sequence. What the cache holds from first_position on is forgotten
// first; a first_position beyond what it holds is kFailedPrecondition.
struct Slice {
  SequenceId sequence = 0;
  int32_t first_position = 0;
  int32_t rows = 0;
  // Where the last row's logits are wanted, at the stage with the head: how to choose from them.
  std::optional<Sampling> sampling;
};

struct Step {
  std::vector<Slice> slices;
  std::vector<int32_t> tokens;  // for layer 0: one per row, in the order of the slices
  std::vector<float> hidden;    // for other layers: rows x hidden, row-major
};

struct StepResult {
  std::vector<float> hidden;         // of a range without the head: rows x hidden
  std::vector<TokenChoice> choices;  // of the range with the head: one per slice with sampling
};

struct KvUsage {
  int64_t positions_used = 0;  // whole pages
  int64_t positions = 0;
  int64_t bytes = 0;
  int64_t sequences = 0;
};

// Since it was loaded. Layer and expert numbers are the model's.
struct ForwardStats {
  std::vector<double> layer_seconds;              // by layer of the range
  std::vector<std::vector<int64_t>> expert_rows;  // [layer of the range][expert]
  int64_t expert_cache_hits = 0;
  int64_t expert_cache_misses = 0;
  int64_t weight_bytes = 0;  // resident
};

class Forward {
 public:
  virtual ~Forward() = default;

  // kInvalidArgument: the step does not fit the model. kResourceExhausted: the KV cache is full; no
  // sequence is changed then.
  virtual Result<StepResult> run(const Step& step) = 0;
  virtual void release(SequenceId sequence) = 0;

  virtual LayerRange layers() const = 0;
  virtual const ModelConfig& config() const = 0;
  virtual KvUsage kv_usage() const = 0;
  virtual ForwardStats stats() const = 0;
  // Names what decides the last bits: kernel, number type. Two ranges may be joined to one exact
  // model where theirs are equal. "" where rows are not exact.
  virtual std::string kernel() const = 0;
  bool exact() const { return !kernel().empty(); }
};

}  // namespace binnacle::engine
