#include <array>

#include <fmt/format.h>

#include "engine/pipeline/orchestrator_core.h"

namespace binnacle::engine {
namespace {

constexpr size_t kKeptEvents = 100;
constexpr std::array<double, 16> kBetweenTokens = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10};
constexpr std::array<double, 16> kRequestSeconds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,   2.5,
                                                    5,    10,    20,   40,  60,   120, 300, 600};

// What tells the collector that this is the canonical schema at first hand.
InstrumentLabels of_model(const std::string& model) {
  return {{"engine", "binnacle"}, {"model", model}};
}

}  // namespace

Orchestrator::Core::Meters::Meters(Registry& r, const std::string& m)
    : running(
          r.gauge("llm_requests_running", "Requests that the engine works on now.", of_model(m))),
      waiting(r.gauge("llm_requests_waiting", "Requests that the engine has taken and not begun.",
                      of_model(m))),
      kv_usage(r.gauge("llm_kv_cache_usage_ratio", "Share of the KV cache in use, 0 to 1.",
                       of_model(m))),
      kv_capacity(r.gauge("llm_kv_cache_capacity_tokens", "Tokens that fit into the KV cache.",
                          of_model(m))),
      prompt_tokens(r.counter("llm_prompt_tokens_total", "Prompt tokens taken in.", of_model(m))),
      generation_tokens(r.counter("llm_generation_tokens_total", "Tokens generated.", of_model(m))),
      first_token(r.histogram("llm_time_to_first_token_seconds",
                              "From a request's arrival to its first token.", kRequestSeconds,
                              of_model(m))),
      between_tokens(r.histogram("llm_inter_token_latency_seconds",
                                 "From one generated token to the next of the same request.",
                                 kBetweenTokens, of_model(m))),
      duration(r.histogram("llm_request_duration_seconds", "From a request's arrival to its end.",
                           kRequestSeconds, of_model(m))),
      preemptions(r.counter("llm_preemptions_total",
                            "Requests put back from running to waiting for want of KV cache.",
                            of_model(m))),
      replayed(r.counter("binnacle_pipeline_replayed_tokens_total",
                         "Tokens whose KV cache was lost and computed again.")),
      recovery(r.histogram("binnacle_pipeline_recovery_seconds",
                           "From a placement's end until the next one serves.", kRequestSeconds)),
      registry(r),
      model(m) {
  r.gauge("llm_model_info", "1 for each model that is served; labels say which.", of_model(m))
      .set(1);
}

void Orchestrator::Core::submit(Generation generation, GenerationSink sink) {
  const auto positions = static_cast<int64_t>(generation.prompt.size()) +
                         static_cast<int64_t>(generation.given.size());
  if (positions + 1 > options_.kv_positions) {
    return deliver_refusal(
        sink, {Code::kInvalidArgument,
               fmt::format("the request has {} tokens, the KV cache holds {} positions", positions,
                           options_.kv_positions)});
  }
  Slot* least = nullptr;
  const auto load_of = [](const Slot& slot) {
    return std::pair(!slot.pipeline->is_open() || slot.draining,
                     slot.pipeline->scheduler().counts().outstanding);
  };
  for (auto& slot : slots_) {
    if (least == nullptr || load_of(*slot) < load_of(*least)) least = slot.get();
  }
  if (const Status admitted = least->pipeline->scheduler().admission(); !admitted) {
    return deliver_refusal(sink, admitted.error());
  }
  Track track;
  track.sink = std::move(sink);
  track.slot = index_of(*least);
  track.arrived_ns = now();
  tracks_.emplace(generation.id, std::move(track));
  least->pipeline->tell(scheduler_event::Submit{std::move(generation)});
}

void Orchestrator::Core::deliver_refusal(const GenerationSink& sink, Error error) {
  meters_->registry
      .counter("llm_request_errors_total",
               "Requests that ended without what was asked for, by reason.",
               {{"engine", "binnacle"},
                {"model", meters_->model},
                {"reason", std::string(code_name(error.code))}})
      .add();
  GenerationEvent event;
  event.is_end = true;
  event.reason = EndReason::kFailed;
  event.error = std::move(error);
  sink(std::move(event));
}

void Orchestrator::Core::cancel(SequenceId sequence) {
  const auto found = tracks_.find(sequence);
  if (found == tracks_.end()) return;
  slots_[found->second.slot]->pipeline->tell(scheduler_event::Cancel{sequence});
}

void Orchestrator::Core::given(const scheduler_action::Give& give) {
  Track& track = tracks_.at(give.sequence);
  const int64_t at = now();
  if (track.tokens++ == 0) {
    track.first_ns = at;
    meters_->first_token.observe(static_cast<double>(at - track.arrived_ns) / 1e9);
  } else {
    meters_->between_tokens.observe(static_cast<double>(at - track.last_ns) / 1e9);
  }
  track.last_ns = at;
  meters_->generation_tokens.add();
  GenerationEvent event;
  event.choice = give.choice;
  track.sink(std::move(event));
}

void Orchestrator::Core::ended(const scheduler_action::End& end) {
  const auto found = tracks_.find(end.sequence);
  const Track track = std::move(found->second);
  tracks_.erase(found);
  meters_->duration.observe(static_cast<double>(now() - track.arrived_ns) / 1e9);
  meters_->registry
      .counter("llm_requests_finished_total", "Requests that ended, by reason.",
               {{"engine", "binnacle"},
                {"model", meters_->model},
                {"reason", std::string(end_reason_name(end.reason))}})
      .add();
  if (end.reason == EndReason::kFailed) return deliver_refusal(track.sink, end.error);
  GenerationEvent event;
  event.is_end = true;
  event.reason = end.reason;
  track.sink(std::move(event));
}

void Orchestrator::Core::refresh_gauges() {
  SchedulerCounts sum;
  for (const auto& slot : slots_) {
    const SchedulerCounts counts = slot->pipeline->scheduler().counts();
    sum.running += counts.running;
    sum.waiting += counts.waiting;
    sum.kv_positions += counts.kv_positions;
    sum.kv_capacity += counts.kv_capacity;
    sum.prompt_tokens += counts.prompt_tokens;
    sum.preemptions += counts.preemptions;
    sum.replayed_tokens += counts.replayed_tokens;
  }
  Meters& m = *meters_;
  m.running.set(static_cast<double>(sum.running));
  m.waiting.set(static_cast<double>(sum.waiting));
  m.kv_capacity.set(static_cast<double>(sum.kv_capacity));
  m.kv_usage.set(sum.kv_capacity == 0 ? 0
                                      : static_cast<double>(sum.kv_positions) /
                                            static_cast<double>(sum.kv_capacity));
  m.prompt_tokens.add(
      static_cast<double>(sum.prompt_tokens - std::exchange(m.prompt_seen, sum.prompt_tokens)));
  m.preemptions.add(
      static_cast<double>(sum.preemptions - std::exchange(m.preemptions_seen, sum.preemptions)));
  m.replayed.add(static_cast<double>(sum.replayed_tokens -
                                     std::exchange(m.replayed_seen, sum.replayed_tokens)));
  for (const auto& [address, known] : members_) {
    registry_
        .gauge("binnacle_pipeline_worker_suspect_since_timestamp_seconds",
               "When the worker failed; 0: it has not, or answers again.", {{"worker", address}})
        .set(known.state == MemberState::kSuspect
                 ? static_cast<double>(clock_.wall_ms() - (now() - known.since_ns) / 1'000'000) /
                       1e3
                 : 0);
  }
}

void Orchestrator::Core::tell(std::string kind, std::string subject, std::string text, bool bad) {
  const LogFields fields = {{"event", kind}, {"subject", subject}};
  if (bad) {
    log_.warn(text, fields);
  } else {
    log_.info(text, fields);
  }
  events_.push_back({std::move(kind), std::move(subject), std::move(text), clock_.wall_ms()});
  if (events_.size() > kKeptEvents) events_.pop_front();
  if (hooks_.event) hooks_.event(events_.back());
}

}  // namespace binnacle::engine
