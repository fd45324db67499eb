// One part of the host collector: what comes from one file or one family of files. A part keeps its
// files open and its names ready between runs. One thread at a time; owned by a PartSet.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "collect/host/emitter.h"

namespace binnacle::collect::host {

class Part {
 public:
  virtual ~Part() = default;

  virtual std::string_view name()
      const = 0;  // the value of the `collector` label of its own metrics

  // 0: every tick. Otherwise what it reads changes slowly or costs much.
  virtual int64_t period_ms() const { return 0; }

  // Emits all that could be read. An error says that something could not; what was emitted before
  // stays.
  virtual Status collect(Emitter& emitter) = 0;
};

using Parts = std::vector<std::unique_ptr<Part>>;

}  // namespace binnacle::collect::host
