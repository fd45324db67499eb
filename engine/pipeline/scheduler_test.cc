#include "engine/pipeline/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/random.h"

namespace binnacle::engine {
namespace {

using namespace scheduler_action;  // NOLINT
namespace ev = scheduler_event;

// A model whose next token is a hash of all tokens before: what is lost, repeated or out of order
// gives other tokens. Keeps caches as workers do and refuses what they refuse.
class Machine {
 public:
  explicit Machine(SchedulerOptions options = {}) : scheduler_(options), options_(options) {}

  void tell(SchedulerEvent event) {
    for (SchedulerAction& action : scheduler_.step(now_, std::move(event))) {
      if (auto* run = std::get_if<RunBatch>(&action)) {
        check(run->step);
        pending_.emplace(run->batch, std::move(run->step));
      } else if (auto* give = std::get_if<Give>(&action)) {
        EXPECT_FALSE(ended_.contains(give->sequence));
        given_[give->sequence].push_back(give->choice.token);
      } else if (auto* end = std::get_if<End>(&action)) {
        EXPECT_TRUE(ended_.emplace(end->sequence, *end).second) << "ended twice";
      } else if (auto* release = std::get_if<Release>(&action)) {
        for (const SequenceId id : release->sequences) {
          for (const auto& [batch, step] : pending_) {
            for (const Slice& slice : step.slices) EXPECT_NE(slice.sequence, id);
          }
          cache_.erase(id);
        }
      }
    }
  }
  void open(int32_t stages = 1, int64_t positions = 4096) {
    cache_.clear();
    pending_.clear();
    tell(ev::Opened{stages, positions});
  }
  void close() {
    pending_.clear();
    cache_.clear();
    tell(ev::Closed{});
  }
  void submit(SequenceId id, int32_t prompt, int32_t max_tokens, std::vector<int32_t> given = {}) {
    Generation g;
    g.id = id;
    g.prompt.resize(static_cast<size_t>(prompt));
    std::iota(g.prompt.begin(), g.prompt.end(), static_cast<int32_t>(id));
    g.given = std::move(given);
    g.max_tokens = max_tokens;
    tell(ev::Submit{std::move(g)});
  }
  bool finish_one(size_t which = 0) {
    if (pending_.empty()) return false;
    const auto it =
        std::next(pending_.begin(), static_cast<std::ptrdiff_t>(which % pending_.size()));
    const uint64_t batch = it->first;
    const Step step = std::move(it->second);
    pending_.erase(it);
    tell(ev::StepDone{batch, compute(step), {0.001 * static_cast<double>(step.tokens.size()), 0}});
    return true;
  }
  void run() {
    for (int i = 0; i < 100'000 && finish_one(); ++i) {
    }
  }

  static std::vector<int32_t> expected(SequenceId id, int32_t prompt, int32_t max_tokens) {
    std::vector<int32_t> known(static_cast<size_t>(prompt));
    std::iota(known.begin(), known.end(), static_cast<int32_t>(id));
    for (int32_t i = 0; i < max_tokens; ++i) known.push_back(next(known));
    return {known.begin() + prompt, known.end()};
  }
  static int32_t next(const std::vector<int32_t>& known) {
    uint64_t hash = 1469598103934665603U;
    for (const int32_t token : known) hash = (hash ^ static_cast<uint64_t>(token)) * 1099511628211U;
    return static_cast<int32_t>(hash % 50'000);
  }

  int64_t now_ = 1;
  Scheduler scheduler_;
  SchedulerOptions options_;
  std::map<uint64_t, Step> pending_;
  std::map<SequenceId, std::vector<int32_t>> cache_;
  std::map<SequenceId, std::vector<int32_t>> given_;
  std::map<SequenceId, End> ended_;

 private:
  void check(const Step& step) {
    std::map<SequenceId, int> seen;
    int32_t prefill = 0;
    for (const Slice& slice : step.slices) {
      EXPECT_EQ(++seen[slice.sequence], 1);
      if (slice.rows > 1) prefill += slice.rows;
      for (const auto& [batch, other] : pending_) {
        for (const Slice& there : other.slices) EXPECT_NE(there.sequence, slice.sequence);
      }
    }
    EXPECT_LE(prefill, options_.prefill_rows);
  }
  std::vector<TokenChoice> compute(const Step& step) {
    std::vector<TokenChoice> choices;
    size_t row = 0;
    for (const Slice& slice : step.slices) {
      auto& cache = cache_[slice.sequence];
      EXPECT_LE(static_cast<size_t>(slice.first_position), cache.size());
      cache.resize(static_cast<size_t>(slice.first_position));
      for (int32_t i = 0; i < slice.rows; ++i) cache.push_back(step.tokens[row++]);
      if (slice.sampling) choices.push_back({next(cache), 0, {}});
    }
    return choices;
  }
};

TEST(Scheduler, GivesEveryTokenOnceInOrder) {
  Machine m;
  m.open();
  m.submit(1, 5, 20);
  m.submit(2, 300, 3);
  m.run();
  EXPECT_EQ(m.given_[1], Machine::expected(1, 5, 20));
  EXPECT_EQ(m.given_[2], Machine::expected(2, 300, 3));
  EXPECT_EQ(m.ended_.at(1).reason, EndReason::kLength);
  EXPECT_TRUE(m.cache_.empty()) << "released";
  EXPECT_EQ(m.scheduler_.counts().prompt_tokens, 305);
  EXPECT_EQ(m.scheduler_.counts().kv_positions, 0);
}

TEST(Scheduler, FillsThePipeline) {
  Machine m;
  m.open(3);
  for (SequenceId id = 1; id <= 16; ++id) m.submit(id, 4, 50);
  for (int i = 0; i < 200; ++i) m.finish_one();
  EXPECT_GE(m.pending_.size(), 3U);
  size_t rows = 0;
  size_t most = 0;
  for (const auto& [batch, step] : m.pending_) {
    rows += step.tokens.size();
    most = std::max(most, step.tokens.size());
  }
  EXPECT_EQ(rows, 16U) << "everyone is on his way";
  EXPECT_LE(most, 6U) << "in shares alike";
  m.run();
  for (SequenceId id = 1; id <= 16; ++id)
    EXPECT_EQ(m.given_[id], Machine::expected(id, 4, 50)) << id;
}

TEST(Scheduler, ALongPromptDoesNotStopOthers) {
  SchedulerOptions options;
  options.prefill_rows = 16;
  Machine m(options);
  m.open();
  m.submit(1, 2, 1000);
  m.finish_one();
  m.submit(2, 1600, 2);
  const size_t before = m.given_[1].size();
  for (int i = 0; i < 100; ++i) m.finish_one();
  EXPECT_GE(m.given_[1].size() - before, 45U);
}

TEST(Scheduler, EndTokenAndContinuation) {
  Machine m;
  m.open();
  const auto whole = Machine::expected(7, 3, 10);
  m.submit(7, 3, 10, {whole.begin(), whole.begin() + 4});
  m.run();
  EXPECT_EQ(m.given_[7], std::vector<int32_t>(whole.begin() + 4, whole.end()));
  Generation g;
  g.id = 8;
  g.prompt = {7, 8, 9};
  g.max_tokens = 10;
  g.end_tokens = {whole[2]};
  m.tell(ev::Submit{g});
  m.run();
  EXPECT_EQ(m.given_[8], std::vector<int32_t>(whole.begin(), whole.begin() + 2));
  EXPECT_EQ(m.ended_.at(8).reason, EndReason::kStop);
  m.submit(9, 3, 4, {1, 2, 3, 4});
  EXPECT_EQ(m.ended_.at(9).reason, EndReason::kLength) << "nothing is left to do";
}

TEST(Scheduler, CancelWaitsForTheMicroBatchThenReleases) {
  Machine m;
  m.open();
  m.submit(1, 4, 100);
  ASSERT_EQ(m.pending_.size(), 1U);
  m.tell(ev::Cancel{1});
  EXPECT_FALSE(m.ended_.contains(1));
  m.finish_one();
  EXPECT_EQ(m.ended_.at(1).reason, EndReason::kCancelled);
  EXPECT_TRUE(m.given_[1].empty());
  EXPECT_TRUE(m.cache_.empty());
  m.submit(2, 4, 10);
  m.tell(ev::Cancel{99});
  m.run();
  EXPECT_EQ(m.given_[2].size(), 10U);
}

TEST(Scheduler, AdmissionIsBounded) {
  SchedulerOptions options;
  options.max_running = 2;
  options.max_waiting = 3;
  Machine m(options);
  m.open();
  for (SequenceId id = 1; id <= 5; ++id) {
    ASSERT_TRUE(m.scheduler_.admission());
    m.submit(id, 4, 10);
  }
  EXPECT_EQ(m.scheduler_.admission().error().code, Code::kResourceExhausted);
  EXPECT_EQ(m.scheduler_.counts().running, 2);
  m.run();
  EXPECT_EQ(m.ended_.size(), 5U);
}

TEST(Scheduler, DeadlinesEndWhoWaitsAndWhoRuns) {
  Machine m;
  Generation g;
  g.id = 1;
  g.prompt = {1};
  g.deadline_ns = 100;
  m.tell(ev::Submit{g});
  EXPECT_EQ(m.scheduler_.next_deadline_ns(), 100);
  m.now_ = 100;
  m.tell(ev::Tick{});
  EXPECT_EQ(m.ended_.at(1).error.code, Code::kDeadlineExceeded);
  EXPECT_NE(m.ended_.at(1).error.message.find("no worker"), std::string::npos);
}

TEST(Scheduler, PreemptsTheYoungestWhenTheCacheIsFull) {
  Machine m;
  m.open(1, 96);
  for (SequenceId id = 1; id <= 3; ++id) m.submit(id, 20, 40);
  m.run();
  for (SequenceId id = 1; id <= 3; ++id)
    EXPECT_EQ(m.given_[id], Machine::expected(id, 20, 40)) << id;
  EXPECT_GT(m.scheduler_.counts().preemptions, 0);
}

TEST(Scheduler, WhatNeverFitsEndsWithItsReason) {
  Machine m;
  m.open(1, 32);
  m.submit(1, 10, 100);
  m.submit(2, 10, 4);
  m.run();
  EXPECT_EQ(m.ended_.at(1).error.code, Code::kResourceExhausted);
  EXPECT_EQ(m.given_[2], Machine::expected(2, 10, 4));
}

TEST(Scheduler, AFullWorkerDelaysAndLosesNothing) {
  Machine m;
  m.open(1, 4096);
  m.submit(1, 20, 30);
  m.submit(2, 20, 30);
  for (int i = 0; i < 20; ++i) m.finish_one();
  const uint64_t batch = m.pending_.begin()->first;
  m.pending_.erase(batch);
  m.tell(ev::StepFull{batch});
  m.run();
  for (SequenceId id = 1; id <= 2; ++id)
    EXPECT_EQ(m.given_[id], Machine::expected(id, 20, 30)) << id;
}

TEST(Scheduler, HoldBeginsNobodyNew) {
  Machine m;
  m.open();
  m.submit(1, 4, 10);
  m.tell(ev::Hold{true});
  m.submit(2, 4, 10);
  m.run();
  EXPECT_TRUE(m.ended_.contains(1));
  EXPECT_EQ(m.scheduler_.counts().waiting, 1);
  EXPECT_EQ(m.scheduler_.counts().begun, 0);
  m.tell(ev::Hold{false});
  m.run();
  EXPECT_EQ(m.given_[2], Machine::expected(2, 4, 10));
}

TEST(Scheduler, ASequenceThatAlwaysFailsIsGivenUp) {
  Machine m;
  m.submit(1, 4, 10);
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(m.ended_.contains(1));
    m.open();
    ASSERT_EQ(m.pending_.size(), 1U);
    m.tell(ev::StepBad{m.pending_.begin()->first, {Code::kDataLoss, "not a number"}});
    m.close();
  }
  EXPECT_EQ(m.ended_.at(1).error.code, Code::kDataLoss);
}

TEST(Scheduler, SequencesMoveToAnotherPipeline) {
  Machine a;
  Machine b;
  a.open();
  a.submit(1, 4, 20);
  for (int i = 0; i < 6; ++i) a.finish_one();
  a.close();
  b.open();
  for (Generation& g : a.scheduler_.take_all()) b.tell(ev::Submit{std::move(g)});
  b.run();
  auto all = a.given_[1];
  all.insert(all.end(), b.given_[1].begin(), b.given_[1].end());
  EXPECT_EQ(all, Machine::expected(1, 4, 20));
}

// Whatever happens in whatever order, each that ends by itself has its tokens, once and in order.
TEST(Scheduler, SurvivesAnything) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    SchedulerOptions options;
    options.prefill_rows = 1 + static_cast<int32_t>(random.below(40));
    options.max_running = 1 + static_cast<int32_t>(random.below(12));
    Machine m(options);
    std::map<SequenceId, std::pair<int32_t, int32_t>> asked;
    SequenceId next = 1;
    bool open = false;
    for (int i = 0; i < 600; ++i) {
      ++m.now_;
      const uint64_t what = random.below(100);
      if (what < 12 && next < 40) {
        asked[next] = {1 + static_cast<int32_t>(random.below(60)),
                       1 + static_cast<int32_t>(random.below(30))};
        m.submit(next, asked[next].first, asked[next].second);
        ++next;
      } else if (what < 14 && next > 1) {
        const SequenceId id = 1 + random.below(next - 1);
        if (!m.ended_.contains(id)) asked.erase(id);
        m.tell(ev::Cancel{id});
      } else if (what < 18) {
        if (open) m.close();
        open = !open;
        if (open) m.open(1 + static_cast<int32_t>(random.below(5)), 512);
      } else {
        m.finish_one(random.below(8));
      }
    }
    if (!open) m.open(2, 512);
    m.run();
    for (const auto& [id, shape] : asked) {
      ASSERT_TRUE(m.ended_.contains(id)) << "seed " << seed << " sequence " << id;
      ASSERT_EQ(m.given_[id], Machine::expected(id, shape.first, shape.second))
          << "seed " << seed << " sequence " << id;
    }
    EXPECT_EQ(m.scheduler_.counts().kv_positions, 0) << seed;
  }
}

}  // namespace
}  // namespace binnacle::engine
