#include "engine/pipeline/remote_worker.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "engine/pipeline/local_worker.h"
#include "engine/pipeline/worker_fixture.h"

namespace binnacle::engine {
namespace {

constexpr LayerRange kAll{0, 6};

// What the model gives for this prompt and some tokens after it, through `ranges` of workers.
std::vector<int32_t> generate(const std::vector<Worker*>& workers, uint64_t epoch) {
  std::vector<int32_t> tokens{5, 9, 2, 77};
  std::vector<int32_t> given;
  int32_t first = 0;
  for (int i = 0; i < 5; ++i) {
    Step step{.tokens = tokens};
    for (size_t at = 0; at < workers.size(); ++at) {
      Slice slice{
          .sequence = 3, .first_position = first, .rows = static_cast<int32_t>(tokens.size())};
      if (at + 1 == workers.size()) slice.sampling = Sampling{.temperature = 0};
      step.slices = {slice};
      const auto hop = run_on(*workers[at], epoch, std::move(step));
      EXPECT_TRUE(hop) << hop.error().message;
      if (!hop) return {};
      step = {.hidden = hop->step.hidden};
      if (!hop->step.choices.empty()) given.push_back(hop->step.choices[0].token);
    }
    first += static_cast<int32_t>(tokens.size());
    if (given.empty()) return {};
    tokens = {given.back()};
  }
  return given;
}

std::vector<int32_t> expected() {
  TestLoader loader;
  Registry registry;
  StageInstruments instruments(registry);
  SystemClock clock;
  LocalWorker local({.name = "here"}, loader, clock, instruments);
  EXPECT_TRUE(load_on(local, order_of(kAll)));
  return generate({&local}, 1);
}

TEST(RemoteWorkerTest, GivesWhatOneProcessGives) {
  TestWorker first;
  TestWorker second;
  const auto a = connect_to(first.server->address());
  const auto b = connect_to(second.server->address());
  const auto want = expected();
  ASSERT_EQ(want.size(), 5U);
  ASSERT_TRUE(load_on(*a, order_of({0, 2}, 4)));
  ASSERT_TRUE(load_on(*b, order_of({2, 6}, 4)));
  EXPECT_EQ(generate({a.get(), b.get()}, 4), want);
  for (const NumberType type : {NumberType::kBfloat16, NumberType::kFloat32}) {
    LoadOrder left = order_of({0, 2}, 5);
    LoadOrder right = order_of({2, 6}, 5);
    left.hop_type = right.hop_type = type;
    ASSERT_TRUE(load_on(*a, left));
    ASSERT_TRUE(load_on(*b, right));
    EXPECT_EQ(generate({a.get(), b.get()}, 5), want);
  }
}

TEST(RemoteWorkerTest, DescribesAndUnloads) {
  TestWorker worker;
  const auto remote = connect_to(worker.server->address());
  Answer<WorkerFacts> facts;
  remote->describe(kTestTimeout, facts.done());
  ASSERT_TRUE(facts.get());
  EXPECT_EQ(facts.get()->name, "one");
  EXPECT_EQ(facts.get()->address, worker.server->address());
  EXPECT_EQ(facts.get()->memory_bytes, 7);
  EXPECT_EQ(facts.get()->models, std::vector<std::string>{"tiny"});
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  Answer<void> unloaded;
  remote->unload(kTestTimeout, unloaded.done());
  ASSERT_TRUE(unloaded.get());
  const auto hop = run_on(*remote, 1, prompt_step(1, {1}, true));
  ASSERT_FALSE(hop);
  EXPECT_EQ(hop.error().code, Code::kFailedPrecondition);
  EXPECT_NE(hop.error().message.find("no layers"), std::string::npos) << hop.error().message;
}

TEST(RemoteWorkerTest, RefusesOtherEpochs) {
  TestWorker worker;
  const auto remote = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*remote, order_of(kAll, 5)));
  for (const uint64_t epoch : {4, 6}) {
    const auto hop = run_on(*remote, epoch, prompt_step(1, {1}, true));
    ASSERT_FALSE(hop);
    EXPECT_EQ(hop.error().code, Code::kFailedPrecondition) << hop.error().message;
  }
  EXPECT_TRUE(run_on(*remote, 5, prompt_step(1, {1}, true)));
  const Status older = load_on(*remote, order_of(kAll, 4));
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, Code::kFailedPrecondition);
  EXPECT_NE(older.error().message.find("older"), std::string::npos) << older.error().message;
  EXPECT_TRUE(run_on(*remote, 5, prompt_step(1, {1}, true)));
}

TEST(RemoteWorkerTest, RefusesOtherWeightsAndKernelsAndKeepsWhatItHas) {
  TestWorker worker;
  const auto remote = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  LoadOrder other = order_of(kAll, 2);
  other.weights_hash = "wrong";
  Status refused = load_on(*remote, other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition) << refused.error().message;
  other = order_of(kAll, 3);
  other.kernel = "another";
  refused = load_on(*remote, other);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("another"), std::string::npos);
  const auto hop = run_on(*remote, 3, prompt_step(1, {1}, true));
  ASSERT_FALSE(hop);  // nothing half-loaded serves
  EXPECT_EQ(hop.error().code, Code::kFailedPrecondition);
  other = order_of(kAll, 4);
  other.kernel = "emulated-v1";
  other.weights_hash = "right";
  ASSERT_TRUE(load_on(*remote, other));
  EXPECT_TRUE(run_on(*remote, 4, prompt_step(1, {1}, true)));
}

TEST(RemoteWorkerTest, TheNewestLoadOfTwoOrchestratorsWins) {
  TestWorker worker;
  const auto first = connect_to(worker.server->address());
  const auto second = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*first, order_of(kAll, 9)));
  ASSERT_TRUE(load_on(*second, order_of(kAll, 1)));
  const auto hop = run_on(*first, 9, prompt_step(1, {1}, true));
  ASSERT_FALSE(hop);
  EXPECT_EQ(hop.error().code, Code::kFailedPrecondition);
  EXPECT_NE(hop.error().message.find("another orchestrator"), std::string::npos)
      << hop.error().message;
  EXPECT_TRUE(run_on(*second, 1, prompt_step(1, {1}, true)));
}

TEST(RemoteWorkerTest, AHopEndsAtItsDeadlineOnce) {
  TestWorker worker;
  Gate gate;
  worker.loader.seconds_per_row_layer = 1;
  worker.loader.wait_ns = [&gate](int64_t) { gate.wait(); };
  const auto remote = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  Answer<HopResult> computing;
  remote->run(1, prompt_step(1, {1}, true), std::chrono::milliseconds(100), computing.done());
  gate.wait_for_somebody();
  // Waits behind it until its own time is over at the worker, too.
  Answer<HopResult> waiting;
  remote->run(1, prompt_step(2, {1}, true), std::chrono::milliseconds(20), waiting.done());
  EXPECT_EQ(waiting.get().error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(computing.get().error().code, Code::kDeadlineExceeded);
  gate.open();
  EXPECT_TRUE(run_on(*remote, 1, prompt_step(3, {1}, true)));
  EXPECT_EQ(worker.stage().view().steps, 2U);  // the one that had waited too long was not computed
}

TEST(RemoteWorkerTest, StepsThatWaitAreBounded) {
  TestWorker worker({}, {.max_waiting_steps = 2});
  Gate gate;
  worker.loader.seconds_per_row_layer = 1;
  worker.loader.wait_ns = [&gate](int64_t) { gate.wait(); };
  const auto remote = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  Answer<HopResult> computing;
  remote->run(1, prompt_step(1, {1}, true), kTestTimeout, computing.done());
  gate.wait_for_somebody();
  std::vector<Answer<HopResult>> more(3);
  for (size_t i = 0; i < more.size(); ++i)
    remote->run(1, prompt_step(i + 2, {1}, true), kTestTimeout, more[i].done());
  for (int i = 0; i < 10'000 && worker.stage().view().waiting < more.size(); ++i) {
    Answer<WorkerFacts> facts;  // a round trip of another call, to let the steps arrive
    remote->describe(kTestTimeout, facts.done());
    ASSERT_TRUE(facts.get());
  }
  gate.open();
  EXPECT_TRUE(computing.get());
  EXPECT_TRUE(more[0].get());
  EXPECT_TRUE(more[1].get());
  ASSERT_FALSE(more[2].get());
  EXPECT_EQ(more[2].get().error().code, Code::kResourceExhausted);
}

TEST(RemoteWorkerTest, ReleasedSequencesLeaveTheCache) {
  TestWorker worker;
  const auto remote = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  ASSERT_TRUE(run_on(*remote, 1, prompt_step(8, {1, 2, 3}, true)));
  remote->release(1, {8});
  Step step = prompt_step(8, {4}, true);
  step.slices[0].first_position = 3;
  const auto hop = run_on(*remote, 1, std::move(step));
  ASSERT_FALSE(hop);
  EXPECT_EQ(hop.error().code, Code::kFailedPrecondition) << hop.error().message;
}

TEST(RemoteWorkerTest, ABrokenConnectionIsToldAndMended) {
  auto worker = std::make_unique<TestWorker>();
  const std::string address = worker->server->address();
  const auto remote = connect_to(address, {.first_wait_ms = 60'000, .longest_wait_ms = 60'000});
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  ASSERT_TRUE(run_on(*remote, 1, prompt_step(1, {1}, true)));
  Answer<void> lost;
  remote->on_lost([done = lost.done()](const Error& error) { done(Unexpected(error)); });
  worker.reset();
  ASSERT_FALSE(lost.get());
  remote->on_lost({});
  EXPECT_EQ(lost.get().error().code, Code::kUnavailable) << lost.get().error().message;
  const auto hop = run_on(*remote, 1, prompt_step(1, {1}, true));
  ASSERT_FALSE(hop);
  EXPECT_EQ(hop.error().code, Code::kUnavailable);
  EXPECT_NE(hop.error().message.find(address), std::string::npos);
  TestWorker again({.listen = address});
  ASSERT_NE(again.server, nullptr);
  // Its calls are tried again until the connection is there.
  Status loaded = load_on(*remote, order_of(kAll, 2));
  for (int i = 0; i < 50 && !loaded; ++i) loaded = load_on(*remote, order_of(kAll, 2));
  ASSERT_TRUE(loaded) << loaded.error().message;
  // Whatever wait its stream had, who was answered may go on.
  const auto mended = run_on(*remote, 2, prompt_step(1, {1}, true));
  EXPECT_TRUE(mended) << mended.error().message;
}

TEST(RemoteWorkerTest, CloseCancelsWhatIsOpen) {
  TestWorker worker;
  Gate gate;
  worker.loader.seconds_per_row_layer = 1;
  worker.loader.wait_ns = [&gate](int64_t) { gate.wait(); };
  const auto remote = connect_to(worker.server->address());
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  Answer<HopResult> hop;
  remote->run(1, prompt_step(1, {1}, true), kTestTimeout, hop.done());
  gate.wait_for_somebody();
  Answer<void> load;  // waits behind the step
  remote->load(order_of(kAll, 2), kTestTimeout, load.done());
  remote->close();
  EXPECT_TRUE(hop.here());
  EXPECT_TRUE(load.here());
  EXPECT_EQ(hop.get().error().code, Code::kCancelled);
  EXPECT_EQ(load.get().error().code, Code::kCancelled);
  gate.open();
}

TEST(RemoteWorkerTest, AnswersAStepThatIsTooLargeWithoutSendingIt) {
  TestWorker worker;
  const auto remote = connect_to(worker.server->address(), {.max_message_bytes = 1'000});
  ASSERT_TRUE(load_on(*remote, order_of(kAll)));
  const auto hop = run_on(*remote, 1, prompt_step(1, std::vector<int32_t>(500, 99'999), false));
  EXPECT_EQ(hop.error().code, Code::kResourceExhausted) << hop.error().message;
  EXPECT_TRUE(run_on(*remote, 1, prompt_step(1, {1}, true)));
}

}  // namespace
}  // namespace binnacle::engine
