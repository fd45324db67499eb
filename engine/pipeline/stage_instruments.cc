#include "engine/pipeline/stage_instruments.h"

#include <array>
#include <string>

namespace binnacle::engine {
namespace {

// 50 us .. 10 s: from a decode step of a small model to a prefill of a large one.
constexpr std::array kStepBounds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                 0.025,   0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   10.0};

}  // namespace

StageInstruments::StageInstruments(Registry& r)
    : registry(r),
      steps(r.counter("binnacle_engine_steps_total", "Steps that were computed.")),
      rows(r.counter("binnacle_engine_rows_total", "Rows of these steps.")),
      busy_seconds(r.counter("binnacle_engine_compute_busy_seconds_total",
                             "Time that the thread which computes was at it.")),
      queue_seconds(r.histogram("binnacle_engine_step_queue_seconds",
                                "Time that a step waited before it was begun.", kStepBounds)),
      compute_seconds(r.histogram("binnacle_engine_step_compute_seconds",
                                  "Time that computing a step took.", kStepBounds)),
      loads(r.counter("binnacle_engine_loads_total", "Loads of layers that were begun.")),
      failed_loads(
          r.counter("binnacle_engine_load_failures_total", "Loads of layers that failed.")) {}

void StageInstruments::failed(Code code) {
  registry
      .counter("binnacle_engine_step_failures_total",
               "Steps that were refused or failed, by reason.",
               {{"reason", std::string(code_name(code))}})
      .add();
}

void StageInstruments::experts(const ExpertUse& use) {
  registry
      .gauge("moe_active_experts_count",
             "Experts of the layers held that the last thousand rows went to.")
      .set(static_cast<double>(use.active()));
  registry
      .gauge("moe_expert_cache_hit_rate",
             "Share of the experts that the last thousand rows needed which were in memory.")
      .set(use.cache_hit_rate());
}

}  // namespace binnacle::engine
