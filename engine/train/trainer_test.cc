#include "engine/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/train/test_run.h"

namespace binnacle::engine {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

TEST(TrainerTest, LossFallsOnRealText) {
  TrainSettings settings = tiny_settings();
  settings.steps = 80;
  FaultFileSystem files;
  TestRun run(settings, files);
  ASSERT_TRUE(run.trainer->begin());
  ASSERT_EQ(run.trainer->run().value(), TrainEnd::kFinished);
  // Even over 258 tokens.
  EXPECT_NEAR(run.steps.front().loss.cross_entropy, std::log(258.0), 0.1);
  EXPECT_LT(run.steps.back().loss.cross_entropy, 3.6);
  EXPECT_LT(run.validated.back(), 3.7);
  EXPECT_LT(run.validated.back(), run.validated.front() - 0.5);
}

TEST(TrainerTest, NoLossIsToldBeforeItIsKnown) {
  FaultFileSystem files;
  TestRun run(tiny_settings(), files);
  std::vector<std::string> pages;
  run.after_step = [&](const StepFigures&) {
    pages.push_back(run.registry.write(TextFormat::kPrometheus004));
  };
  ASSERT_TRUE(run.trainer->begin());
  const std::string before = run.registry.write(TextFormat::kPrometheus004);
  EXPECT_THAT(before, AllOf(HasSubstr("train_step 0"), Not(HasSubstr("moe_training_loss")),
                            Not(HasSubstr("moe_training_tokens_per_second")),
                            Not(HasSubstr("moe_router_load_balance_loss"))));
  ASSERT_TRUE(run.trainer->run());
  EXPECT_THAT(pages[3],
              AllOf(HasSubstr("\nmoe_training_loss "), Not(HasSubstr("moe_validation_loss"))));
  EXPECT_THAT(pages[4], HasSubstr("\nmoe_validation_loss "));
}

TEST(TrainerTest, DenseModelLearnsToo) {
  TrainSettings settings = tiny_settings();
  settings.shape.config.experts = 0;
  settings.shape.config.ffn = 64;
  settings.shape.config.tied_embeddings = true;
  settings.steps = 60;
  FaultFileSystem files;
  TestRun run(settings, files);
  ASSERT_TRUE(run.trainer->begin());
  ASSERT_TRUE(run.trainer->run());
  EXPECT_LT(run.steps.back().loss.cross_entropy, 4.0);
}

TEST(TrainerTest, StoppedAndResumedRunHasTheSameBits) {
  const TrainSettings settings = tiny_settings();
  FaultFileSystem whole_files;
  TestRun whole(settings, whole_files);
  ASSERT_TRUE(whole.trainer->begin());
  ASSERT_TRUE(whole.trainer->run());

  FaultFileSystem files;
  {
    TestRun first(settings, files);
    first.after_step = [&first](const StepFigures& f) { first.stop = f.step == 5; };
    ASSERT_TRUE(first.trainer->begin());
    ASSERT_EQ(first.trainer->run().value(), TrainEnd::kStopped);
  }
  TestRun second(settings, files);
  ASSERT_TRUE(second.trainer->begin());
  EXPECT_EQ(second.trainer->progress().step, 6);  // the one under way was finished
  ASSERT_EQ(second.trainer->run().value(), TrainEnd::kFinished);
  EXPECT_EQ(second.weights(), whole.weights());
  EXPECT_EQ(second.trainer->progress().tokens, whole.trainer->progress().tokens);
}

TEST(TrainerTest, CrashCostsAtMostTheInterval) {
  const TrainSettings settings = tiny_settings();
  FaultFileSystem whole_files;
  TestRun whole(settings, whole_files);
  ASSERT_TRUE(whole.trainer->begin());
  ASSERT_TRUE(whole.trainer->run());
  const uint64_t changes = whole_files.changes();

  // The power goes at each change of the disk in turn.
  for (uint64_t cut = 2; cut < changes; cut += 7) {
    FaultFileSystem files;
    int64_t reached = 0;
    {
      TestRun first(settings, files);
      files.power_off_after(cut);
      first.after_step = [&](const StepFigures& f) {
        reached = f.step;
        first.stop = f.step == 10;
      };
      ASSERT_TRUE(first.trainer->begin());
      ASSERT_TRUE(first.trainer->run());
    }
    files.crash(Crash::kTornPower);
    TestRun second(settings, files);
    ASSERT_TRUE(second.trainer->begin());
    ASSERT_TRUE(second.trainer->run());
    EXPECT_EQ(second.weights(), whole.weights()) << cut;
  }
}

TEST(TrainerTest, StepThatIsNotANumberIsSkipped) {
  FaultFileSystem files;
  TestRun run(tiny_settings(), files);
  std::vector<float> before;
  run.model.spoil = [&](int64_t call, LossParts&, float* gradients) {
    if (call != 5) return;
    before = run.weights();
    gradients[7] = std::numeric_limits<float>::quiet_NaN();
  };
  run.after_step = [&](const StepFigures& f) {
    if (f.step == 6) EXPECT_EQ(run.weights(), before);
  };
  ASSERT_TRUE(run.trainer->begin());
  ASSERT_TRUE(run.trainer->run());
  EXPECT_EQ(run.steps[5].verdict, StepVerdict::kNotANumber);
  EXPECT_THAT(run.events, ElementsAre(Field(&TrainEvent::kind, "train.step_skipped")));
  const std::string page = run.registry.write(TextFormat::kPrometheus004);
  EXPECT_THAT(page, HasSubstr("train_skipped_steps_total{reason=\"nan\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("train_nan_total 1\n"));
  for (const float value : run.weights()) ASSERT_TRUE(std::isfinite(value));
}

TEST(TrainerTest, SpikeIsSkipped) {
  TrainSettings settings = tiny_settings();
  settings.guard.spike_after = 8;
  FaultFileSystem files;
  TestRun run(settings, files);
  run.model.spoil = [&](int64_t call, LossParts&, float* gradients) {
    if (call != 10) return;
    for (int64_t i = 0; i < run.model.size(); ++i) gradients[i] *= 100;
  };
  ASSERT_TRUE(run.trainer->begin());
  ASSERT_TRUE(run.trainer->run());
  EXPECT_EQ(run.steps[10].verdict, StepVerdict::kGradientSpike);
  EXPECT_EQ(run.steps[11].verdict, StepVerdict::kApply);
}

TEST(TrainerTest, RunWithoutProgressStops) {
  TrainSettings settings = tiny_settings();
  settings.guard.max_skipped_in_a_row = 3;
  FaultFileSystem files;
  TestRun run(settings, files);
  run.model.spoil = [](int64_t, LossParts& parts, float*) {
    parts.total = std::numeric_limits<double>::infinity();
  };
  ASSERT_TRUE(run.trainer->begin());
  const auto end = run.trainer->run();
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("3 steps in a row were skipped"));
}

TEST(TrainerTest, FullDiskKeepsTheOldCheckpointAndTrainingGoesOn) {
  FaultFileSystem files;
  TestRun run(tiny_settings(), files);
  run.after_step = [&](const StepFigures& f) {
    if (f.step == 5) files.inject({.op = FileOp::kWrite, .error_number = ENOSPC, .lasting = true});
    if (f.step == 9) files.clear_faults();
  };
  ASSERT_TRUE(run.trainer->begin());
  ASSERT_EQ(run.trainer->run().value(), TrainEnd::kFinished);
  EXPECT_THAT(run.events, ElementsAre(Field(&TrainEvent::kind, "train.checkpoint_failed")));
  EXPECT_THAT(run.events.front().data, HasSubstr("No space left"));
  EXPECT_THAT(run.registry.write(TextFormat::kPrometheus004),
              HasSubstr("train_checkpoint_failures_total 1\n"));
  EXPECT_TRUE(files.exists("/run/checkpoint-000000000004"));
  EXPECT_FALSE(files.exists("/run/checkpoint-000000000008"));
  EXPECT_TRUE(files.exists("/run/checkpoint-000000000012"));
}

TEST(TrainerTest, BrokenCheckpointFallsBackToTheOneBefore) {
  const TrainSettings settings = tiny_settings();
  FaultFileSystem files;
  std::vector<float> weights;
  {
    TestRun run(settings, files);
    ASSERT_TRUE(run.trainer->begin());
    ASSERT_TRUE(run.trainer->run());
    weights = run.weights();
  }
  files.corrupt("/run/checkpoint-000000000012", 5'000);
  TestRun again(settings, files);
  ASSERT_TRUE(again.trainer->begin());
  EXPECT_EQ(again.trainer->progress().step, 8);
  ASSERT_TRUE(again.trainer->run());
  EXPECT_EQ(again.weights(), weights);
}

TEST(TrainerTest, CheckpointOfAnotherModelIsRefused) {
  FaultFileSystem files;
  TrainSettings settings = tiny_settings();
  {
    TestRun run(settings, files);
    ASSERT_TRUE(run.trainer->begin());
    ASSERT_TRUE(run.trainer->run());
  }
  settings.shape.config.layers = 3;
  TestRun other(settings, files);
  const auto begun = other.trainer->begin();
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, Code::kFailedPrecondition);
  EXPECT_THAT(begun.error().message, HasSubstr("another shape"));
}

TEST(TrainerTest, FullExpertsDropAndCount) {
  TrainSettings settings = tiny_settings();
  settings.shape.capacity_factor = 0.5;
  FaultFileSystem files;
  TestRun run(settings, files);
  ASSERT_TRUE(run.trainer->begin());
  ASSERT_TRUE(run.trainer->run());
  for (const RouterStats& router : run.steps.back().loss.routers) {
    EXPECT_GE(router.dropped, 4 * 32 * 2 / 2);  // half of all choices fit at most
  }
}

}  // namespace
}  // namespace binnacle::engine
