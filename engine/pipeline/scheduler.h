// Decides what a pipeline computes next: continuous batching of many sequences in several
// micro-batches, so that each stage has work. A pure state machine, step(now, event) -> actions;
// the orchestrator does what it says. A sequence is its known tokens and how many of them the KV
// cache holds; decoding, prefill and replay after a loss are all the same: compute what is known
// and not cached. So nothing is lost or repeated, whatever happens to the workers.
//
// Always: a sequence is in one micro-batch at most; a token is given once; the order of a
// sequence's events is that of its tokens; End comes once and last. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "engine/pipeline/generation.h"

namespace binnacle::engine {

struct SchedulerOptions {
  int32_t max_running = 64;
  int32_t max_waiting = 256;
  // Prompt rows of one micro-batch: a long prompt delays the others' next token by these alone.
  int32_t prefill_rows = 64;
  int32_t kv_page = 16;  // positions that the workers' caches round up to
  // Results that are not a number, one after another, until a sequence is given up.
  int32_t max_bad_results = 3;
};

namespace scheduler_event {
struct Submit {
  Generation generation;
};
struct Cancel {
  SequenceId sequence = 0;
};
// The pipeline stands: layers are loaded, caches are empty.
struct Opened {
  int32_t stages = 1;
  int64_t kv_positions = 0;
};
// It is gone with what was under way and cached; sequences wait for another one.
struct Closed {};
// What a micro-batch took, for the choice of how many there should be.
struct StepTimes {
  double slowest_stage_seconds = 0;  // computing
  double way_seconds = 0;            // of all hops together, without computing and queues
};
struct StepDone {
  uint64_t batch = 0;
  std::vector<TokenChoice> choices;
  StepTimes times;
};
// The KV cache of a stage is full; nothing was changed.
struct StepFull {
  uint64_t batch = 0;
};
// A stage says that results are not numbers. Comes before Closed.
struct StepBad {
  uint64_t batch = 0;
  Error error;
};
// No new sequences are begun (true), so that those running come to an end.
struct Hold {
  bool on = false;
};
// Everything ends with this error.
struct Abandon {
  Error error;
};
struct Tick {};
}  // namespace scheduler_event

using SchedulerEvent =
    std::variant<scheduler_event::Submit, scheduler_event::Cancel, scheduler_event::Opened,
                 scheduler_event::Closed, scheduler_event::StepDone, scheduler_event::StepFull,
                 scheduler_event::StepBad, scheduler_event::Hold, scheduler_event::Abandon,
                 scheduler_event::Tick>;

namespace scheduler_action {
struct RunBatch {
  uint64_t batch = 0;
  Step step;  // without hidden
};
struct Give {
  SequenceId sequence = 0;
  TokenChoice choice;
};
struct End {
  SequenceId sequence = 0;
  EndReason reason = EndReason::kStop;
  Error error;
};
struct Release {  // their KV cache
  std::vector<SequenceId> sequences;
};
}  // namespace scheduler_action

using SchedulerAction = std::variant<scheduler_action::RunBatch, scheduler_action::Give,
                                     scheduler_action::End, scheduler_action::Release>;
using SchedulerActions = std::vector<SchedulerAction>;

struct SchedulerCounts {
  int64_t running = 0;
  int64_t waiting = 0;
  int64_t begun = 0;          // sequences that computed something
  int64_t in_flight = 0;      // micro-batches
  int64_t kv_positions = 0;   // that are spoken for
  int64_t kv_capacity = 0;    // 0: no pipeline
  int64_t outstanding = 0;    // tokens still to compute or to generate
  int64_t prompt_tokens = 0;  // computed since the start, each once
  int64_t replayed_tokens = 0;
  int64_t preemptions = 0;
};

class Scheduler {
 public:
  explicit Scheduler(SchedulerOptions options);
  ~Scheduler();

  SchedulerActions step(int64_t now_ns, SchedulerEvent event);

  // Whether a Submit would be taken: kResourceExhausted when too many wait.
  Status admission() const;
  SchedulerCounts counts() const;
  // A tick is wanted then; INT64_MAX: none.
  int64_t next_deadline_ns() const;
  // In the order in which they came.
  std::vector<SequenceId> sequences() const;
  // Takes all sequences out without an end, with what was given so far, in the order in which they
  // came. Without a pipeline alone.
  std::vector<Generation> take_all();

 private:
  struct Sequence;
  struct Batch;
  using Ids = std::deque<SequenceId>;

  void on(int64_t now, scheduler_event::Submit& event);
  void on(int64_t now, scheduler_event::Cancel& event);
  void on(int64_t now, scheduler_event::Opened& event);
  void on(int64_t now, scheduler_event::Closed& event);
  void on(int64_t now, scheduler_event::StepDone& event);
  void on(int64_t now, scheduler_event::StepFull& event);
  void on(int64_t now, scheduler_event::StepBad& event);
  void on(int64_t now, scheduler_event::Hold& event);
  void on(int64_t now, scheduler_event::Abandon& event);
  void on(int64_t now, scheduler_event::Tick& event);

  void end(SequenceId id, EndReason reason, Error error = {});
  void take_choice(Sequence& sequence, const TokenChoice& choice);
  void expire(int64_t now);
  void admit();
  void fill();
  bool add_slice(SequenceId id, int32_t max_rows, Batch& batch, Step& step);
  bool make_room(int64_t positions, SequenceId for_sequence);
  void preempt(Sequence& sequence);
  void give_up_misfit();
  int64_t pages(int64_t positions) const;
  void learn(const Batch& batch, const scheduler_event::StepTimes& times);
  int32_t wanted_batches() const;

  const SchedulerOptions options_;
  std::map<SequenceId, std::unique_ptr<Sequence>> sequences_;
  Ids waiting_;
  Ids ready_;  // running ones in no micro-batch, longest first
  int64_t running_ = 0;
  std::map<uint64_t, Batch> batches_;
  uint64_t next_batch_ = 1;
  uint64_t next_arrival_ = 1;
  int32_t stages_ = 0;  // 0: no pipeline
  int64_t kv_capacity_ = 0;
  int64_t kv_used_ = 0;
  bool held_ = false;
  SchedulerCounts totals_;
  SchedulerActions actions_;

  // Seconds of a stage's computation for n rows, about `base + per_row * n`, from weighted sums.
  struct Cost {
    double weight = 0, rows = 0, rows2 = 0, seconds = 0, rows_seconds = 0, way = 0;
  } cost_;
};

}  // namespace binnacle::engine
