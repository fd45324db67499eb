// For tests of workers: a loader of emulated layers, waits for answers, and a worker behind real
// gRPC on loopback.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "engine/model/layer_stack.h"
#include "engine/pipeline/remote_worker.h"
#include "engine/pipeline/stage.h"
#include "engine/pipeline/worker_server.h"

namespace binnacle::engine {

inline constexpr std::chrono::milliseconds kTestTimeout{20'000};

// Takes one result on any thread, given by value to its maker.
template <typename T>
class Answer {
 public:
  Worker::Done<T> done() {
    return [state = state_](Result<T> result) {
      const MutexLock lock(state->mu);
      EXPECT_FALSE(state->result) << "answered twice";
      state->result.emplace(std::move(result));
      state->came.notify_all();
    };
  }
  bool here() const {
    const MutexLock lock(state_->mu);
    return state_->result.has_value();
  }
  Result<T> get() {
    const MutexLock lock(state_->mu);
    for (int i = 0; !state_->result && i < 200; ++i) state_->came.wait_for_ms(state_->mu, 100);
    if (!state_->result) return fail(Code::kInternal, "no answer in 20 s");
    return *state_->result;
  }

 private:
  struct State {
    Mutex mu;
    CondVar came;
    std::optional<Result<T>> result GUARDED_BY(mu);
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Emulated layers of a small model; a test may hold the computation, or refuse.
class TestLoader final : public LayerLoader {
 public:
  TestLoader() {
    config.name = "tiny";
    config.layers = 6;
    config.hidden = 16;
    config.vocabulary = 100;
    config.max_positions = 512;
  }
  Status prepare(const LoadOrder& order, const std::atomic<bool>& /*stopping*/) override {
    if (!order.weights_hash.empty() && order.weights_hash != "right")
      return fail(Code::kFailedPrecondition, "model tiny: its weights are others");
    return {};
  }
  Result<std::unique_ptr<Forward>> load(const LoadOrder& order) override {
    if (order.model == "broken") return fail(Code::kDataLoss, "model broken: cut");
    return emulated_forward({.config = config,
                             .layers = order.layers,
                             .seconds_per_row_layer = seconds_per_row_layer,
                             .kv_positions = order.kv_positions,
                             .wait_ns = wait_ns});
  }
  ModelConfig config;
  double seconds_per_row_layer = 0;
  std::function<void(int64_t)> wait_ns;  // of computing; empty: as it is
};

// A gate that a computation waits at until the test opens it.
class Gate {
 public:
  void wait() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    ++waiting_;
    changed_.notify_all();
    for (int i = 0; !open_ && i < 200; ++i) changed_.wait_for_ms(mu_, 100);
  }
  void open() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_for_somebody() EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    for (int i = 0; waiting_ == 0 && i < 200; ++i) changed_.wait_for_ms(mu_, 100);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool open_ GUARDED_BY(mu_) = false;
  int waiting_ GUARDED_BY(mu_) = 0;
};

class TestWorker {
 public:
  explicit TestWorker(WorkerServerOptions options = {}, StageOptions stage_options = {})
      : stage_(std::make_unique<Stage>(stage_options, loader, clock_, instruments_)) {
    const std::string listen = options.listen;
    auto opened = WorkerServer::open(
        std::move(options),
        {[] {
           return WorkerFacts{
               .name = "one", .kernel = "emulated-v1", .memory_bytes = 7, .models = {"tiny"}};
         },
         [] { return std::string("{}"); }},
        *stage_, real_file_system(), clock_, registry);
    EXPECT_TRUE(opened) << opened.error().message;
    if (opened) server = *std::move(opened);
  }

  TestLoader loader;
  Registry registry;

  Stage& stage() { return *stage_; }

 private:
  SystemClock clock_;
  StageInstruments instruments_{registry};
  std::unique_ptr<Stage> stage_;

 public:
  std::unique_ptr<WorkerServer> server;  // goes first: it stops the stage
};

inline LoadOrder order_of(LayerRange layers, uint64_t epoch = 1) {
  return {.model = "tiny", .layers = layers, .kv_positions = 4'096, .epoch = epoch};
}

inline Step prompt_step(SequenceId sequence, std::vector<int32_t> tokens, bool choose) {
  Slice slice{.sequence = sequence, .rows = static_cast<int32_t>(tokens.size())};
  if (choose) slice.sampling = Sampling{.temperature = 0};
  return {.slices = {slice}, .tokens = std::move(tokens)};
}

inline std::unique_ptr<RemoteWorker> connect_to(const std::string& address,
                                                RemoteWorkerOptions options = {}) {
  static SystemClock clock;
  static SystemRandom random;
  options.address = address;
  auto opened = RemoteWorker::open(std::move(options), real_file_system(), clock, random);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? *std::move(opened) : nullptr;
}

inline Status load_on(Worker& worker, const LoadOrder& order) {
  Answer<void> answer;
  worker.load(order, kTestTimeout, answer.done());
  return answer.get();
}

inline Result<HopResult> run_on(Worker& worker, uint64_t epoch, Step step,
                                std::chrono::milliseconds timeout = kTestTimeout) {
  Answer<HopResult> answer;
  worker.run(epoch, std::move(step), timeout, answer.done());
  return answer.get();
}

}  // namespace binnacle::engine
