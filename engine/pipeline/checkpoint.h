// A model folder as the orchestrator's process needs it: what the front and what the placement know
// of it, read once. Loading reads every weight once for the hashes: not on an I/O thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "engine/pipeline/openai_front.h"
#include "engine/pipeline/orchestrator.h"

namespace binnacle::engine {

struct Checkpoint {
  ModelSource source;
  std::shared_ptr<const ServedModel> served;
};

struct CheckpointOptions {
  std::string folder;
  std::string name;          // that requests ask for; "": the model's own
  int64_t kv_positions = 0;  // bounds the context
  bool emulated = false;     // config.json alone, without weights
};

Result<Checkpoint> load_checkpoint(const CheckpointOptions& options, FileSystem& files,
                                   const Clock& clock);

// Changes when the folder's weights are replaced; "" while there are none.
std::string checkpoint_stamp(const std::string& folder, FileSystem& files);

}  // namespace binnacle::engine
