// Training of 256 x 6 layers with 8 experts, 2 a token, with all figures taken, beside the same
// model in plain libtorch in the same process, turn by turn.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/instruments.h"
#include "engine/train/trainer.h"
#include "plain_train.h"

namespace binnacle::engine {
namespace {

constexpr int kSteps = 4;  // of a turn
constexpr double kGoal = 0.85;

struct Measured {
  double tokens_per_second = 0;
  double loss = 0;
};

Measured our_turn(const TrainSettings& settings, TorchModel& model, const TextCorpus& corpus) {
  const SystemClock clock;
  Registry registry;
  TrainMetrics metrics(registry, settings, model.size(), clock);
  SoleRank sole;
  Measured out;
  double seconds = 0;
  int64_t steps = 0;
  Trainer trainer(settings, {.model = model,
                             .corpus = corpus,
                             .collective = sole,
                             .metrics = metrics,
                             .clock = clock,
                             .export_model = {},
                             .tell = {},
                             .progress =
                                 [&](const StepFigures& f) {
                                   out.loss = f.loss.cross_entropy;
                                   if (f.step == 1) return;
                                   seconds += f.step_seconds;
                                   ++steps;
                                 },
                             .validated = {},
                             .stop_asked = {}});
  if (!trainer.begin() || !trainer.run()) std::abort();
  out.tokens_per_second = static_cast<double>(steps * settings.rows * settings.length) / seconds;
  return out;
}

Measured plain_turn(const TrainSettings& settings, PlainTrain& plain, const BatchSource& batches) {
  const SystemClock clock;
  Measured out;
  int64_t begin_ns = 0;
  for (int64_t i = 0; i < settings.steps; ++i) {
    if (i == 1) begin_ns = clock.monotonic_ns();
    out.loss = plain.step(batches.batch(i, 0, settings.rows), settings.rows, settings.length);
  }
  const double seconds = static_cast<double>(clock.monotonic_ns() - begin_ns) / 1e9;
  out.tokens_per_second =
      static_cast<double>((settings.steps - 1) * settings.rows * settings.length) / seconds;
  return out;
}

int run(int turns, int threads) {
  set_tensor_threads(threads);
  TrainSettings settings;
  settings.shape.config = preset_model("small").value();
  settings.steps = kSteps;
  settings.validate_every = 0;
  const auto corpus =
      TextCorpus::read(real_file_system(), "/usr/share/common-licenses", 512, {}).value();
  const BatchSource batches(corpus.training, settings.rows, settings.length, settings.seed);
  const auto model = TorchModel::create(settings.shape).value();
  PlainTrain plain(settings.shape.config, settings.optimizer.learning_rate);
  double best = 0;
  double best_plain = 0;
  for (int turn = 0; turn < turns; ++turn) {
    const Measured theirs = plain_turn(settings, plain, batches);
    const Measured ours = our_turn(settings, *model, corpus);
    best = std::max(best, ours.tokens_per_second);
    best_plain = std::max(best_plain, theirs.tokens_per_second);
    std::printf("turn %d: %.0f tokens/s (loss %.3f), plain libtorch %.0f (loss %.3f)\n", turn + 1,
                ours.tokens_per_second, ours.loss, theirs.tokens_per_second, theirs.loss);
  }
  std::printf(
      "training 256 x 6, 8 experts top 2: %.0f tokens/s, %.2f of plain libtorch (goal %.2f)\n",
      best, best / best_plain, kGoal);
  return 0;
}

}  // namespace
}  // namespace binnacle::engine

int main(int argc, char** argv) {
  const int turns = argc > 1 ? std::atoi(argv[1]) : 6;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
  return binnacle::engine::run(turns, threads);
}
