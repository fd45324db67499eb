#include "engine/pipeline/pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include "base/check.h"

namespace binnacle::engine {
namespace {

constexpr std::array<double, 14> kHopBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                               0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

}  // namespace

struct Pipeline::Flight {
  uint64_t batch = 0;
  std::vector<Slice> slices;
  std::vector<int32_t> tokens;
  int32_t rows = 0;
  size_t stage = 0;
  int64_t sent_ns = 0;
  double row_layers = 0;  // that the stage had when it was sent
  scheduler_event::StepTimes times;
};

struct Pipeline::StageMeters {
  Histogram* hop = nullptr;
  Histogram* queue = nullptr;
  Histogram* compute = nullptr;
};

Pipeline::Pipeline(int32_t replica, const SchedulerOptions& scheduler, HopDeadlineOptions deadlines,
                   PipelineHooks hooks, boost::asio::io_context& io, const Clock& clock,
                   Registry& registry)
    : replica_(replica),
      deadlines_(deadlines),
      hooks_(std::move(hooks)),
      io_(io),
      clock_(clock),
      registry_(registry),
      scheduler_(scheduler),
      life_(std::make_shared<Life>(Life{this})) {}

Pipeline::~Pipeline() { life_->pipeline = nullptr; }

void Pipeline::open(uint64_t epoch, std::vector<PipelineStage> stages, int64_t kv_positions,
                    int32_t hidden, int32_t vocabulary) {
  CHECK(!open_ && !stages.empty());
  epoch_ = epoch;
  stages_ = std::move(stages);
  stage_rows_.assign(stages_.size(), 0);
  hidden_ = hidden;
  vocabulary_ = vocabulary;
  while (meters_.size() < stages_.size()) {
    const InstrumentLabels labels = {{"replica", std::to_string(replica_)},
                                     {"stage", std::to_string(meters_.size())}};
    meters_.push_back(
        {&registry_.histogram("binnacle_pipeline_hop_seconds",
                              "From sending a step to a stage until its answer, all included.",
                              kHopBounds, labels),
         &registry_.histogram("binnacle_pipeline_queue_seconds",
                              "Time that a step waited in the stage's worker.", kHopBounds, labels),
         &registry_.histogram("binnacle_pipeline_compute_seconds",
                              "Time that a stage computed on a step.", kHopBounds, labels)});
  }
  open_ = true;
  broken_ = false;
  tell(scheduler_event::Opened{static_cast<int32_t>(stages_.size()), kv_positions});
}

void Pipeline::close() {
  if (!open_) return;
  open_ = false;
  flights_.clear();
  stages_.clear();
  tell(scheduler_event::Closed{});
}

void Pipeline::tell(SchedulerEvent event) {
  act(scheduler_.step(clock_.monotonic_ns(), std::move(event)));
}

std::vector<Generation> Pipeline::take_all() {
  CHECK(!open_);
  return scheduler_.take_all();
}

std::pair<int32_t, int64_t> Pipeline::oldest_hop() const {
  std::pair<int32_t, int64_t> oldest{-1, INT64_MAX};
  for (const auto& [batch, flight] : flights_) {
    if (flight->sent_ns < oldest.second)
      oldest = {static_cast<int32_t>(flight->stage), flight->sent_ns};
  }
  return oldest;
}

void Pipeline::act(SchedulerActions actions) {
  for (SchedulerAction& action : actions) {
    if (auto* run = std::get_if<scheduler_action::RunBatch>(&action)) {
      begin(std::move(*run));
    } else if (auto* give = std::get_if<scheduler_action::Give>(&action)) {
      hooks_.give(*give);
    } else if (auto* end = std::get_if<scheduler_action::End>(&action)) {
      hooks_.end(*end);
    } else if (auto* release = std::get_if<scheduler_action::Release>(&action)) {
      for (const PipelineStage& stage : stages_) stage.worker->release(epoch_, release->sequences);
    }
  }
}

void Pipeline::begin(scheduler_action::RunBatch run) {
  auto flight = std::make_unique<Flight>();
  flight->batch = run.batch;
  flight->slices = std::move(run.step.slices);
  flight->tokens = std::move(run.step.tokens);
  flight->rows = static_cast<int32_t>(flight->tokens.size());
  Flight& sent = *flight;
  flights_.emplace(run.batch, std::move(flight));
  send(sent, {});
}

void Pipeline::send(Flight& flight, std::vector<float> hidden) {
  const PipelineStage& stage = stages_[flight.stage];
  Step step;
  step.slices = flight.slices;
  if (flight.stage + 1 < stages_.size()) {
    for (Slice& slice : step.slices) slice.sampling.reset();  // the head's alone
  }
  if (flight.stage == 0) step.tokens = flight.tokens;
  step.hidden = std::move(hidden);
  stage_rows_[flight.stage] += flight.rows;
  flight.row_layers = stage_rows_[flight.stage] * stage.layers.size();
  flight.sent_ns = clock_.monotonic_ns();
  const auto deadline = stage.times->deadline(flight.row_layers, deadlines_);
  stage.worker->run(
      epoch_, std::move(step), deadline,
      [life = life_, &io = io_, epoch = epoch_, batch = flight.batch](Result<HopResult> result) {
        boost::asio::post(io, [life, epoch, batch, r = std::move(result)]() mutable {
          if (life->pipeline != nullptr) life->pipeline->arrived(epoch, batch, std::move(r));
        });
      });
}

void Pipeline::arrived(uint64_t epoch, uint64_t batch, Result<HopResult> result) {
  if (!open_ || epoch != epoch_) return;
  const auto found = flights_.find(batch);
  if (found == flights_.end()) return;
  Flight& flight = *found->second;
  stage_rows_[flight.stage] -= flight.rows;
  if (!result) return failed(flight, result.error());
  if (const Status fits = check(flight, *result); !fits) return failed(flight, fits.error());
  const double hop = static_cast<double>(clock_.monotonic_ns() - flight.sent_ns) / 1e9;
  stages_[flight.stage].times->add(hop, flight.row_layers);
  const StageMeters& meters = meters_[flight.stage];
  meters.hop->observe(hop);
  meters.queue->observe(result->queue_seconds);
  meters.compute->observe(result->compute_seconds);
  flight.times.slowest_stage_seconds =
      std::max(flight.times.slowest_stage_seconds, result->compute_seconds);
  flight.times.way_seconds += std::max(0.0, hop - result->queue_seconds - result->compute_seconds);
  if (++flight.stage == stages_.size()) return finish(flight, std::move(*result));
  send(flight, std::move(result->step.hidden));
}

// What a worker answers is input like any other.
Status Pipeline::check(const Flight& flight, const HopResult& result) const {
  if (flight.stage + 1 < stages_.size()) {
    const size_t wanted = static_cast<size_t>(flight.rows) * static_cast<size_t>(hidden_);
    if (result.step.hidden.size() != wanted) {
      return fail(Code::kDataLoss, fmt::format("an answer has {} numbers where {} were due",
                                               result.step.hidden.size(), wanted));
    }
    const bool finite =
        std::ranges::all_of(result.step.hidden, [](float value) { return std::isfinite(value); });
    if (!finite) return fail(Code::kDataLoss, "an answer holds what is no number");
    return {};
  }
  const auto wanted = static_cast<size_t>(std::ranges::count_if(
      flight.slices, [](const Slice& slice) { return slice.sampling.has_value(); }));
  if (result.step.choices.size() != wanted) {
    return fail(Code::kDataLoss, fmt::format("an answer has {} tokens where {} were due",
                                             result.step.choices.size(), wanted));
  }
  for (const TokenChoice& choice : result.step.choices) {
    if (choice.token < 0 || choice.token >= vocabulary_) {
      return fail(Code::kDataLoss, fmt::format("an answer has token {} of a vocabulary of {}",
                                               choice.token, vocabulary_));
    }
  }
  return {};
}

void Pipeline::failed(Flight& flight, const Error& error) {
  const uint64_t batch = flight.batch;
  const size_t stage = flight.stage;
  if (error.code == Code::kResourceExhausted) {
    flights_.erase(batch);
    return tell(scheduler_event::StepFull{batch});
  }
  if (broken_) return;
  broken_ = true;
  if (error.code == Code::kDataLoss || error.code == Code::kInvalidArgument ||
      error.code == Code::kInternal) {
    tell(scheduler_event::StepBad{batch, error});
  }
  hooks_.broken(stage, error);
}

void Pipeline::finish(Flight& flight, HopResult result) {
  const uint64_t batch = flight.batch;
  const scheduler_event::StepTimes times = flight.times;
  flights_.erase(batch);
  tell(scheduler_event::StepDone{batch, std::move(result.step.choices), times});
}

}  // namespace binnacle::engine
