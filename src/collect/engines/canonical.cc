#include "collect/engines/canonical.h"

#include <array>

namespace binnacle::collect::engines {
namespace {

using enum model::MetricType;
using enum Combine;

constexpr std::array<CanonicalSeries, kSeries> kTable = {{
    {"llm_requests_running", kGauge, kSum, "Requests that the engine works on now."},
    {"llm_requests_waiting", kGauge, kSum, "Requests that the engine has taken and not begun."},
    {"llm_kv_cache_usage_ratio", kGauge, kAverage, "Share of the KV cache in use, 0 to 1."},
    {"llm_kv_cache_capacity_tokens", kGauge, kSum, "Tokens that fit into the KV cache."},
    {"llm_prompt_tokens_total", kCounter, kSum, "Prompt tokens taken in."},
    {"llm_generation_tokens_total", kCounter, kSum, "Tokens generated."},
    {"llm_time_to_first_token_seconds", kHistogram, kSum,
     "From a request's arrival to its first token."},
    {"llm_inter_token_latency_seconds", kHistogram, kSum,
     "From one generated token to the next of the same request."},
    {"llm_request_time_per_output_token_seconds", kHistogram, kSum,
     "Mean time of an output token, one value for each request."},
    {"llm_request_duration_seconds", kHistogram, kSum, "From a request's arrival to its end."},
    {"llm_request_queue_seconds", kHistogram, kSum, "Time that a request waited to be begun."},
    {"llm_request_prefill_seconds", kHistogram, kSum, "Time of a request's prefill."},
    {"llm_request_decode_seconds", kHistogram, kSum,
     "Time of a request's decoding, from its first token to its last."},
    {"llm_prefill_seconds_total", kCounter, kSum, "Time that the engine spent on prefill."},
    {"llm_decode_seconds_total", kCounter, kSum, "Time that the engine spent on decoding."},
    {"llm_requests_finished_total", kCounter, kSum, "Requests that ended, by reason."},
    {"llm_request_errors_total", kCounter, kSum,
     "Requests that ended without what was asked for, by reason."},
    {"llm_preemptions_total", kCounter, kSum,
     "Requests put back from running to waiting for want of KV cache."},
    {"llm_prefix_cache_hits_total", kCounter, kSum, "Prompt tokens found in the prefix cache."},
    {"llm_prefix_cache_queries_total", kCounter, kSum,
     "Prompt tokens looked up in the prefix cache."},
    {"llm_prefix_cache_hit_ratio", kGauge, kAverage,
     "Share of prompt tokens found in the prefix cache, over a time of the engine's choice."},
    {"llm_spec_decode_drafts_total", kCounter, kSum, "Drafts made in speculative decoding."},
    {"llm_spec_decode_draft_tokens_total", kCounter, kSum, "Tokens drafted."},
    {"llm_spec_decode_accepted_tokens_total", kCounter, kSum, "Drafted tokens accepted."},
    {"llm_spec_decode_accepted_tokens_per_position_total", kCounter, kSum,
     "Drafted tokens accepted, by position in the draft."},
    {"llm_spec_decode_acceptance_ratio", kGauge, kAverage,
     "Share of drafted tokens accepted, over a time of the engine's choice."},
    {"llm_spec_decode_acceptance_length_tokens", kGauge, kAverage,
     "Mean tokens gained by a step of speculative decoding."},
    {"llm_model_info", kGauge, kSum, "1 for each model that is served; labels say which."},
    {"llm_model_load_seconds", kGauge, kAverage, "Time that loading the model's weights took."},
    {"llm_model_memory_bytes", kGauge, kSum, "Memory taken by the model, by kind of memory."},
    {"llm_model_context_tokens", kGauge, kAverage, "Longest context of the loaded model."},
    {"llm_models_loaded", kGauge, kSum, "Models in memory."},
    {"llm_models_available", kGauge, kSum, "Models that can be asked for, loaded or not."},
    {"llm_runners", kGauge, kSum, "Processes that run parts of a model, by state."},
    {"llm_node_memory_total_bytes", kGauge, kSum, "Memory of a node, as the engine tells it."},
    {"llm_node_memory_available_bytes", kGauge, kSum,
     "Memory of a node that is free for use, as the engine tells it."},
    {"llm_node_gpu_usage_ratio", kGauge, kAverage,
     "Use of a node's GPU, 0 to 1, as the engine tells it."},
    {"llm_node_power_watts", kGauge, kSum, "Power that a node draws, as the engine tells it."},
    {"llm_node_temperature_celsius", kGauge, kAverage,
     "Temperature of a node, as the engine tells it."},
}};
static_assert(kTable.back().name == "llm_node_temperature_celsius");

}  // namespace

const CanonicalSeries& canonical(Series series) { return kTable[static_cast<size_t>(series)]; }

std::span<const CanonicalSeries> canonical_series() { return kTable; }

}  // namespace binnacle::collect::engines
