// Everything a run needs to go on bit for bit (docs/formats/checkpoint.md), as files of a folder:
// `checkpoint-<step>`. A file is written aside, synced and renamed, so that a crash at any moment
// leaves the ones before it whole. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "engine/model/torch/torch_model.h"

namespace binnacle::engine {

// What is small.
struct TrainProgress {
  int64_t step = 0;     // steps done, skipped ones included
  int64_t updates = 0;  // of them applied
  int64_t tokens = 0;
  uint64_t corpus = 0;            // TextCorpus::fingerprint
  uint64_t settings = 0;          // of what decides the next bits: settings_fingerprint()
  double productive_seconds = 0;  // in steps that were applied
  double elapsed_seconds = 0;     // since the first start, pauses by a clean stop left out
  int64_t wall_ms = 0;            // when it was written
  bool clean = false;             // written by a stop that was asked for, or at the end
  int64_t skipped_in_a_row = 0;
  std::vector<double> losses;  // StepGuard's
  std::vector<double> norms;
};

struct CheckpointView {
  TrainProgress progress;
  const std::vector<ParameterRange>* ranges = nullptr;
  std::span<float> parameters;
  std::span<float> first;
  std::span<float> second;
};

class CheckpointFolder {
 public:
  // Makes the folder. kAlreadyExists: another trainer has it.
  static Result<CheckpointFolder> open(FileSystem& files, const std::string& folder);

  // Then removes all but the newest `kept`. A failed write leaves what was there.
  Status write(const CheckpointView& state, int64_t kept);

  struct Loaded {
    std::string path;
    std::vector<std::string> broken;  // newer ones that could not be read, with why
  };
  // Fills `state` from the newest file that is whole. nullopt: there is none at all. kDataLoss:
  // there are some, and none is whole. kFailedPrecondition: it is of another model.
  Result<std::optional<Loaded>> load(CheckpointView& state);

 private:
  CheckpointFolder() = default;
  Status write_file(const std::string& path, const CheckpointView& state);
  Status read_file(const std::string& path, CheckpointView& state);
  Result<std::vector<std::string>> names();  // oldest first

  FileSystem* files_ = nullptr;
  std::string folder_;
  std::unique_ptr<FileLock> lock_;
};

}  // namespace binnacle::engine
