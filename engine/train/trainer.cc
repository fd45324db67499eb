#include "engine/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

namespace binnacle::engine {
namespace {

using nlohmann::json;

constexpr size_t kRecentSteps = 16;
// Of validation: the same batches each time, and none that a step ever draws its own from.
constexpr uint64_t kValidationSeed = 0x76616C6964;

int64_t rows_of_all(const TrainSettings& s) { return s.rows * s.ranks; }

}  // namespace

Trainer::Trainer(const TrainSettings& settings, TrainerParts parts)
    : settings_(settings),
      parts_(std::move(parts)),
      state_(parts_.model, settings),
      batches_(parts_.corpus.training, rows_of_all(settings), settings.length, settings.seed),
      validation_(parts_.corpus.validation, settings.rows, settings.length, kValidationSeed),
      stalls_(settings.guard, parts_.clock.monotonic_ms()),
      stragglers_(settings.ranks, settings.guard.straggler_score) {}

Status Trainer::begin() {
  began_ns_ = parts_.clock.monotonic_ns();
  SeededRandom random(settings_.seed);
  state_.initialise(random);
  if (parts_.checkpoints != nullptr) TRY(resume());
  TRY(state_.share(parts_.collective));
  state_.progress.corpus = parts_.corpus.fingerprint;
  state_.progress.settings = settings_fingerprint(settings_);
  parts_.metrics.begun(state_.progress.step);
  stalls_.alive(parts_.clock.monotonic_ms());
  return {};
}

Status Trainer::resume() {
  CheckpointView view = state_.view();
  TRY_ASSIGN(const auto loaded, parts_.checkpoints->load(view));
  if (!loaded) return {};
  for (const std::string& why : loaded->broken) {
    log_.warn("a checkpoint is broken; an older one is taken", {{"error", why}});
  }
  state_.progress = view.progress;
  state_.progress_to_guard();
  const TrainProgress& p = state_.progress;
  checkpoint_step_ = loaded->broken.empty() ? p.step : -1;
  elapsed_before_ = p.elapsed_seconds;
  if (!p.clean) {
    const int64_t lost_ms = std::max<int64_t>(0, parts_.clock.wall_ms() - p.wall_ms);
    elapsed_before_ += static_cast<double>(lost_ms) / 1000;
  }
  if (p.corpus != parts_.corpus.fingerprint) {
    log_.warn("the texts are not those that this run began with; it goes on with the new ones");
  }
  if (p.settings != settings_fingerprint(settings_)) {
    log_.warn("the settings are not those that this run began with; it goes on with the new ones");
  }
  log_.info("goes on", {{"checkpoint", loaded->path}, {"step", p.step}});
  return {};
}

Result<TrainEnd> Trainer::run() {
  TrainEnd end = TrainEnd::kFinished;
  while (state_.progress.step < settings_.steps) {
    auto more = step();
    if (!more) {
      checkpoint(false);
      return fail(std::move(more).error());
    }
    const TrainProgress& p = state_.progress;
    if (!*more) {
      end = TrainEnd::kStopped;
      break;
    }
    if (settings_.validate_every > 0 && p.step % settings_.validate_every == 0) TRY(validate());
    if (p.step % settings_.checkpoint_every == 0) checkpoint(p.step == settings_.steps);
  }
  checkpoint(true);
  return end;
}

Result<bool> Trainer::step() {
  const Clock& clock = parts_.clock;
  StepFigures figures;
  const int64_t begin_ns = clock.monotonic_ns();
  const std::vector<int32_t> batch =
      batches_.batch(state_.progress.step, settings_.rank * settings_.rows, settings_.rows);
  figures.data_seconds = seconds_since(begin_ns);

  const int64_t compute_ns = clock.monotonic_ns();
  const std::span<float> gradients = state_.gradients();
  std::fill(gradients.begin(), gradients.end(), 0.0F);
  RankReport mine;
  TRY_ASSIGN(mine.loss,
             parts_.model.forward_backward(batch.data(), settings_.rows, settings_.length));
  figures.compute_seconds = seconds_since(compute_ns);
  mine.work_seconds = seconds_since(begin_ns);
  mine.wait_seconds = last_wait_seconds_;
  mine.stop = parts_.stop_asked && parts_.stop_asked();

  const int64_t exchange_ns = clock.monotonic_ns();
  TRY_ASSIGN(const auto packed,
             parts_.collective.average(state_.progress.step, gradients, pack_report(mine)));
  std::vector<RankReport> reports;
  bool stop = false;
  for (const std::vector<double>& one : packed) {
    TRY_ASSIGN(auto report, unpack_report(one, settings_.shape.config));
    stop = stop || report.stop;
    reports.push_back(std::move(report));
  }
  figures.exchange_seconds = last_wait_seconds_ = seconds_since(exchange_ns);

  figures.loss = merge_losses(reports);
  const int64_t update_ns = clock.monotonic_ns();
  apply(figures);
  figures.update_seconds = seconds_since(update_ns);
  figures.step_seconds = seconds_since(begin_ns);
  after_step(figures, reports);
  TRY(state_.guard.check_progress());
  return !stop;
}

// What stays of a skipped step is its number: the next one has other data.
void Trainer::apply(StepFigures& f) {
  TrainProgress& p = state_.progress;
  f.gradient_norm = length_of(state_.gradients());
  f.learning_rate = learning_rate(settings_.optimizer, p.step, settings_.steps);
  f.verdict = state_.guard.judge(f.loss.total, f.gradient_norm);
  if (f.verdict == StepVerdict::kApply) {
    const double scale = std::min(1.0, settings_.optimizer.clip_norm / (f.gradient_norm + 1e-12));
    state_.optimizer.update(state_.parameters(), state_.gradients(), scale, f.learning_rate,
                            p.updates);
    ++p.updates;
  }
  ++p.step;
  f.step = p.step;
  f.tokens = rows_of_all(settings_) * settings_.length;
  p.tokens += f.tokens;
}

void Trainer::after_step(StepFigures& f, const std::vector<RankReport>& reports) {
  const int64_t now_ms = parts_.clock.monotonic_ms();
  stalls_.step_ended(now_ms, static_cast<int64_t>(f.step_seconds * 1000));
  recent_seconds_.push_back(f.step_seconds);
  if (recent_seconds_.size() > kRecentSteps) recent_seconds_.pop_front();
  const double recent = std::accumulate(recent_seconds_.begin(), recent_seconds_.end(), 0.0);
  if (recent > 0) {
    f.tokens_per_second =
        static_cast<double>(f.tokens) * static_cast<double>(recent_seconds_.size()) / recent;
  }
  if (f.verdict == StepVerdict::kApply) {
    state_.progress.productive_seconds += f.step_seconds;
  } else {
    tell_skipped(f);
  }
  parts_.metrics.step(f, reports);
  const double elapsed = elapsed_seconds();
  if (elapsed > 0) parts_.metrics.goodput(state_.progress.productive_seconds / elapsed);
  tell_stragglers(reports);
  if (parts_.progress) parts_.progress(f);
}

void Trainer::tell_skipped(const StepFigures& f) {
  const std::string_view reason = skip_reason(f.verdict);
  log_.warn("step skipped", {{"step", f.step},
                             {"reason", reason},
                             {"loss", f.loss.total},
                             {"gradient_norm", f.gradient_norm}});
  if (!parts_.tell || settings_.rank != 0) return;
  // dump() writes null for what is not a number.
  parts_.tell(
      {.kind = "train.step_skipped",
       .subject = std::string(reason),
       .data = json{{"step", f.step}, {"loss", f.loss.total}, {"gradient_norm", f.gradient_norm}}
                   .dump()});
}

void Trainer::tell_stragglers(const std::vector<RankReport>& reports) {
  std::vector<double> work;
  for (const RankReport& report : reports) work.push_back(report.work_seconds);
  const std::vector<int32_t> found = stragglers_.add(work);
  parts_.metrics.stragglers(stragglers_.scores());
  for (const int32_t rank : found) {
    const double score = stragglers_.scores()[static_cast<size_t>(rank)];
    log_.warn("a rank holds the others up", {{"rank", rank}, {"score", score}});
    if (!parts_.tell || settings_.rank != 0) continue;
    parts_.tell({.kind = "train.straggler",
                 .subject = "rank " + std::to_string(rank),
                 .data = json{{"rank", rank}, {"score", score}}.dump()});
  }
}

// The others wait in their next exchange.
Status Trainer::validate() {
  if (settings_.rank != 0) return {};
  const int64_t begin_ns = parts_.clock.monotonic_ns();
  double sum = 0;
  for (int64_t i = 0; i < settings_.validation_batches; ++i) {
    const std::vector<int32_t> batch = validation_.batch(i, 0, settings_.rows);
    TRY_ASSIGN(const LossParts loss,
               parts_.model.evaluate(batch.data(), settings_.rows, settings_.length));
    sum += loss.cross_entropy;
  }
  const double loss = sum / static_cast<double>(settings_.validation_batches);
  parts_.metrics.validated(loss, seconds_since(begin_ns));
  if (parts_.validated) parts_.validated(loss);
  stalls_.alive(parts_.clock.monotonic_ms());
  return {};
}

void Trainer::checkpoint(bool clean) {
  TrainProgress& p = state_.progress;
  if (parts_.checkpoints == nullptr || (checkpoint_step_ == p.step && p.clean == clean)) return;
  const int64_t begin_ns = parts_.clock.monotonic_ns();
  state_.guard_to_progress();
  p.elapsed_seconds = elapsed_seconds();
  p.wall_ms = parts_.clock.wall_ms();
  p.clean = clean;
  const auto failed = [this](const char* kind, const Error& error) {
    log_.error("training goes on", {{"kind", kind}, {"error", error.message}});
    if (parts_.tell) {
      parts_.tell({.kind = kind,
                   .subject = "step " + std::to_string(state_.progress.step),
                   .data = json{{"error", error.message}}.dump()});
    }
  };
  const auto written = parts_.checkpoints->write(state_.view(), settings_.checkpoints_kept);
  parts_.metrics.checkpointed(written.has_value(), seconds_since(begin_ns));
  if (written) {
    checkpoint_step_ = p.step;
  } else {
    failed("train.checkpoint_failed", written.error());
  }
  if (parts_.export_model) {
    const auto exported = parts_.export_model();
    parts_.metrics.exported(exported.has_value());
    if (!exported) failed("train.export_failed", exported.error());
  }
  stalls_.alive(parts_.clock.monotonic_ms());
}

double Trainer::elapsed_seconds() const { return elapsed_before_ + seconds_since(began_ns_); }

double Trainer::seconds_since(int64_t begin_ns) const {
  return static_cast<double>(parts_.clock.monotonic_ns() - begin_ns) / 1e9;
}

}  // namespace binnacle::engine
