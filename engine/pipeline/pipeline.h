// One replica of the model: its scheduler, the stages that it runs on now, and the micro-batches on
// their way through them. What breaks it, it tells its owner, who closes it and opens it anew on
// other stages; the sequences stay. On the orchestrator's I/O thread alone; the done calls of
// workers come from any thread and are posted there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/instruments.h"
#include "engine/pipeline/hop_times.h"
#include "engine/pipeline/scheduler.h"
#include "engine/pipeline/worker.h"

namespace binnacle::engine {

struct PipelineStage {
  std::shared_ptr<Worker> worker;  // shared with its member, who may get another one meanwhile
  std::shared_ptr<HopTimes> times;
  LayerRange layers;
};

struct PipelineHooks {
  std::function<void(const scheduler_action::Give&)> give;
  std::function<void(const scheduler_action::End&)> end;
  // The hop to this stage failed. Not called again until the next open().
  std::function<void(size_t stage, const Error&)> broken;
};

class Pipeline {
 public:
  Pipeline(int32_t replica, const SchedulerOptions& scheduler, HopDeadlineOptions deadlines,
           PipelineHooks hooks, boost::asio::io_context& io, const Clock& clock,
           Registry& registry);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  void open(uint64_t epoch, std::vector<PipelineStage> stages, int64_t kv_positions, int32_t hidden,
            int32_t vocabulary);
  void close();
  bool is_open() const { return open_; }
  uint64_t epoch() const { return epoch_; }

  void tell(SchedulerEvent event);
  const Scheduler& scheduler() const { return scheduler_; }
  // Takes all sequences out, with what was given so far, for another pipeline.
  std::vector<Generation> take_all();

  // Of the oldest hop under way: the stage and since when; -1: none.
  std::pair<int32_t, int64_t> oldest_hop() const;

 private:
  struct Flight;
  struct StageMeters;
  // What the done calls hold, so that one that comes late finds nobody.
  struct Life {
    Pipeline* pipeline;
  };

  void act(SchedulerActions actions);
  void begin(scheduler_action::RunBatch run);
  void send(Flight& flight, std::vector<float> hidden);
  void arrived(uint64_t epoch, uint64_t batch, Result<HopResult> result);
  Status check(const Flight& flight, const HopResult& result) const;
  void failed(Flight& flight, const Error& error);
  void finish(Flight& flight, HopResult result);

  const int32_t replica_;
  const HopDeadlineOptions deadlines_;
  const PipelineHooks hooks_;
  boost::asio::io_context& io_;
  const Clock& clock_;
  Registry& registry_;

  Scheduler scheduler_;
  bool open_ = false;
  bool broken_ = false;
  uint64_t epoch_ = 0;
  std::vector<PipelineStage> stages_;
  std::vector<double> stage_rows_;  // under way at each
  std::vector<StageMeters> meters_;
  int32_t hidden_ = 0;
  int32_t vocabulary_ = 0;
  std::map<uint64_t, std::unique_ptr<Flight>> flights_;
  std::shared_ptr<Life> life_;
};

}  // namespace binnacle::engine
