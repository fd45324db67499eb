// Where a stage gets its layers from: first everything that can be wrong with the files is looked
// at, so that what is held now is given up only for layers that will come. One thread at a time.
#pragma once

#include <atomic>
#include <memory>

#include "base/error.h"
#include "engine/model/forward.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

class LayerLoader {
 public:
  virtual ~LayerLoader() = default;
  // May take long where files have to be fetched first; gives up soon when `stopping` turns true.
  virtual Status prepare(const LoadOrder& order, const std::atomic<bool>& stopping) = 0;
  // After prepare() of the same order.
  virtual Result<std::unique_ptr<Forward>> load(const LoadOrder& order) = 0;
};

}  // namespace binnacle::engine
