// The inside of Orchestrator: members (workers and what is thought of them), slots (replicas and
// where they stand), and what happens to them. All on the I/O thread of `io_`; split over
// orchestrator.cc (the outside), orchestrator_members.cc (workers), orchestrator_place.cc
// (placement, survival), orchestrator_requests.cc (requests and their meters).
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.h"
#include "engine/pipeline/orchestrator.h"
#include "engine/pipeline/pipeline.h"
#include "engine/pipeline/planner.h"
#include "net/io_threads.h"

namespace binnacle::engine {

inline constexpr std::string_view kLocalAddress = "local";

class Orchestrator::Core {
 public:
  Core(OrchestratorOptions options, ModelSource model, OrchestratorHooks hooks, const Clock& clock,
       Registry& registry);
  ~Core();

  void start();
  void stop();
  void post(std::function<void()> work);

  // On the I/O thread:
  void set_workers(std::vector<std::string> addresses);
  void submit(Generation generation, GenerationSink sink);
  void cancel(SequenceId sequence);
  void reload(ModelSource model);
  OrchestratorStatus status() const;

  std::atomic<SequenceId> next_id{1};

 private:
  enum class MemberState : uint8_t { kNew, kIdle, kBusy, kSuspect };
  struct Member {
    std::string address;
    std::shared_ptr<Worker> worker;  // shared with the stages that run on it
    std::shared_ptr<HopTimes> times = std::make_shared<HopTimes>();
    MemberState state = MemberState::kNew;
    bool is_measured = false;  // the first answer has the connection's time in it
    uint64_t life = 0;         // of `worker`; answers of an older one count no more
    WorkerFacts facts;
    double way_seconds = 0;  // of describe(), there and back
    std::string reason;
    int64_t since_ns = 0;
    int64_t retry_ns = 0;
    int64_t retry_wait_ns = 0;
    int32_t failed_stage = -1;
    bool asked = true;  // by set_workers(); else the local one that stands in
  };
  struct Slot {
    std::unique_ptr<Pipeline> pipeline;
    PlanReplica plan;  // of the stages it runs on, when open
    ModelSource model;
    // Layers on their way into workers: for a closed pipeline, or beside the open one.
    struct Loading {
      uint64_t epoch = 0;
      PlanReplica plan;
      size_t missing = 0;
      bool beside = false;
      int64_t since_ns = 0;
    };
    std::optional<Loading> loading;
    std::string reason;
    int64_t down_since_ns = 0;
    int64_t better_since_ns = 0;  // a better placement is known since; 0: none
    int64_t load_ns = 0;          // what the last load took
    uint64_t checkpoint = 0;      // number of `model`
    bool draining = false;        // for a new checkpoint
  };
  struct Track {
    GenerationSink sink;
    size_t slot = 0;
    int64_t arrived_ns = 0;
    int64_t first_ns = 0;
    int64_t last_ns = 0;
    int64_t tokens = 0;
  };
  struct Meters;

  // orchestrator_members.cc
  void add_member(const std::string& address, bool asked);
  void connect(Member& member);
  void describe(Member& member);
  void described(const std::string& address, uint64_t life, int64_t asked_ns,
                 Result<WorkerFacts> facts);
  void lost(const std::string& address, uint64_t life, const Error& error);
  void suspect(Member& member, int32_t stage, const std::string& reason);
  void retry_members();
  Member* member(const std::string& address);
  std::vector<PlanWorker> candidates(const Slot* with_own) const;
  std::string state_of(const Member& member) const;

  // orchestrator_place.cc
  void place();
  void place_locally(Slot& slot);
  void load(Slot& slot, PlanReplica plan, bool beside);
  void loaded(size_t slot, uint64_t epoch, const std::string& address, uint64_t life,
              const Result<void>& result);
  void open(Slot& slot);
  void close(Slot& slot, const std::string& reason);
  void broken(size_t slot, size_t stage, const Error& error);
  void abort_loading(Slot& slot, const std::string& reason);
  void set_idle(const PlanReplica& plan);
  bool serves(const std::string& address) const;
  void move_sequences(Slot& from);
  void rebalance();
  void rebalance(Slot& slot);
  void go_on_with_reload();
  bool better(const Slot& slot, const PlanReplica& plan) const;
  PlanRequest plan_request(const Slot& slot, std::vector<PlanWorker> workers) const;

  // orchestrator_requests.cc
  void given(const scheduler_action::Give& give);
  void ended(const scheduler_action::End& end);
  void deliver_refusal(const GenerationSink& sink, Error error);
  void refresh_gauges();
  void tell(std::string kind, std::string subject, std::string text, bool bad);

  void tick();
  size_t index_of(const Slot& slot) const;
  int64_t now() const { return clock_.monotonic_ns(); }

  const OrchestratorOptions options_;
  const OrchestratorHooks hooks_;
  const Clock& clock_;
  Registry& registry_;
  const Log log_{"pipeline"};
  std::unique_ptr<Meters> meters_;

  ModelSource model_;                      // that new placements get
  std::optional<ModelSource> next_model_;  // that slots go over to, one after another
  uint64_t checkpoint_ = 0;                // of the newest
  std::map<std::string, Member> members_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<SequenceId, Track> tracks_;
  std::deque<OrchestratorEvent> events_;
  uint64_t epoch_ = 0;
  uint64_t next_life_ = 1;
  int64_t started_ns_ = 0;
  bool stopping_ = false;

  net::IoThreads io_{1};
  boost::asio::steady_timer timer_;
};

struct Orchestrator::Core::Meters {
  Meters(Registry& registry, const std::string& model);
  Gauge& running;
  Gauge& waiting;
  Gauge& kv_usage;
  Gauge& kv_capacity;
  Counter& prompt_tokens;
  Counter& generation_tokens;
  Histogram& first_token;
  Histogram& between_tokens;
  Histogram& duration;
  Counter& preemptions;
  Counter& replayed;
  Histogram& recovery;
  Registry& registry;
  const std::string model;
  // What the schedulers had counted when the counters were last raised.
  int64_t prompt_seen = 0;
  int64_t preemptions_seen = 0;
  int64_t replayed_seen = 0;
};

}  // namespace binnacle::engine
