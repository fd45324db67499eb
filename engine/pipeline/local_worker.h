// A worker in this process: the same interface and rules as one over the network, with a thread of
// its own. For a machine alone, and for what is left when all the others are lost.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/instruments.h"
#include "engine/pipeline/stage.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

class LocalWorker final : public Worker {
 public:
  // `facts` as describe() tells them; address "local". References outlive the worker.
  LocalWorker(WorkerFacts facts, LayerLoader& loader, const Clock& clock,
              StageInstruments& instruments, StageOptions options = {});

  void describe(Time timeout, Done<WorkerFacts> done) override;
  void load(const LoadOrder& order, Time timeout, Done<void> done) override;
  void unload(Time timeout, Done<void> done) override;
  void run(uint64_t epoch, Step step, Time timeout, Done<HopResult> done) override;
  void release(uint64_t epoch, std::vector<SequenceId> sequences) override;
  void on_lost(std::function<void(Error)> lost) override;  // never
  void close() override;
  const std::string& address() const override { return facts_.address; }

  StageView view() const { return stage_.view(); }

 private:
  const WorkerFacts facts_;
  const Clock& clock_;
  Stage stage_;
};

}  // namespace binnacle::engine
