// Watches what this node's collectors write on its way to the store, for the load that beats carry:
// the share of CPU time that was busy over the last collection, and the requests of the engines
// that run here, by their canonical series. Any thread; each Appender belongs to one.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "link/frame.h"
#include "model/appender.h"

namespace binnacle::app {

class LoadTap final : public model::Appendable {
 public:
  explicit LoadTap(model::Appendable& store) : store_(store) {}  // outlives it

  std::unique_ptr<model::Appender> appender() override;

  // None before the collectors have told anything.
  std::optional<link::LoadDigest> digest() const EXCLUDES(mu_);

 private:
  class Batch;
  enum class Kind : uint8_t { kCpuBusy, kCpuIdle, kRunning, kWaiting };
  struct Change {
    model::SeriesRef ref;
    Kind kind;
    model::Sample sample;
  };
  struct Series {
    Kind kind;
    model::Sample sample;
  };

  static std::optional<Kind> kind_of(model::LabelsView labels);
  std::optional<Kind> known(model::SeriesRef ref) const EXCLUDES(mu_);
  void apply(const std::vector<Change>& changes) EXCLUDES(mu_);

  // Fixed after construction.
  model::Appendable& store_;

  mutable Mutex mu_;
  std::unordered_map<model::SeriesRef, Series> series_ GUARDED_BY(mu_);
  std::optional<link::LoadDigest> digest_ GUARDED_BY(mu_);
};

}  // namespace binnacle::app
