// Data by nature, hence long. Names and types are those of the engines' own sources:
//   vLLM             vllm/v1/metrics/loggers.py, vllm/v1/spec_decode/metrics.py
//   Ray Serve LLM    vllm/v1/metrics/ray_wrappers.py, Ray's own serve metrics
//   SGLang           python/sglang/srt/observability/metrics_collector.py
//   (srt/metrics/collector.py) llama.cpp        tools/server/server-task.cpp
//   (tools/server/server.cpp) TGI              router/src/server.rs,
//   backends/v3/src/{backend,queue,lib}.rs TensorRT-LLM     tensorrt_llm/metrics/collector.py
//   Triton           the server's metrics guide, the TensorRT-LLM backend's metrics
//   LMDeploy         lmdeploy/metrics/loggers.py
#include "collect/engines/alias_table.h"

#include <algorithm>
#include <cctype>

namespace binnacle::collect::engines {
namespace {

using enum Series;
using enum Need;
using enum Part;
using enum Unit;

// An engine's label becomes a canonical one: {.to = "reason", .from = "finished_reason"}.
constexpr std::string_view kReason = "reason";
constexpr std::string_view kUnknownReason = "unknown";

// Under Ray Serve the same names come with another prefix.
constexpr Alias kVllm[] = {
    {.name = "num_requests_running", .series = kRequestsRunning, .need = kAlways},
    {.name = "num_requests_waiting", .series = kRequestsWaiting, .need = kAlways},
    {.name = "num_requests_waiting_by_reason", .series = kRequestsWaiting, .choice = 1},
    {.name = "kv_cache_usage_perc",
     .series = kKvCacheUsage,
     .need = kAlways,
     .since = version(0, 9)},
    {.name = "gpu_cache_usage_perc", .series = kKvCacheUsage, .need = kAlways, .choice = 1},
    {.name = "cache_config_info",
     .series = kKvCacheCapacity,
     .part = kLabels,
     .factor_a = "num_gpu_blocks",
     .factor_b = "block_size"},
    {.name = "prompt_tokens", .series = kPromptTokens, .need = kAlways},
    {.name = "generation_tokens", .series = kGenerationTokens, .need = kAlways},
    {.name = "time_to_first_token_seconds", .series = kTimeToFirstToken, .need = kRequests},
    {.name = "inter_token_latency_seconds",
     .series = kInterTokenLatency,
     .need = kRequests,
     .since = version(0, 11)},
    {.name = "time_per_output_token_seconds",
     .series = kInterTokenLatency,
     .need = kRequests,
     .choice = 1,
     .until = version(0, 13)},
    {.name = "request_time_per_output_token_seconds",
     .series = kTimePerOutputToken,
     .need = kRequests,
     .since = version(0, 11)},
    {.name = "e2e_request_latency_seconds", .series = kRequestDuration, .need = kRequests},
    {.name = "request_queue_time_seconds", .series = kRequestQueue, .need = kRequests},
    {.name = "request_prefill_time_seconds", .series = kRequestPrefill, .need = kRequests},
    {.name = "request_decode_time_seconds", .series = kRequestDecode, .need = kRequests},
    {.name = "request_success",
     .series = kRequestsFinished,
     .need = kRequests,
     .to = kReason,
     .from = "finished_reason"},
    {.name = "request_success",
     .series = kRequestErrors,
     .need = kRequests,
     .only_label = "finished_reason",
     .only_value = "abort",
     .to = kReason,
     .from = "finished_reason"},
    {.name = "request_success",
     .series = kRequestErrors,
     .only_label = "finished_reason",
     .only_value = "error",
     .to = kReason,
     .from = "finished_reason"},
    {.name = "num_preemptions", .series = kPreemptions, .need = kAlways},
    {.name = "prefix_cache_hits",
     .series = kPrefixCacheHits,
     .need = kAlways,
     .since = version(0, 9)},
    {.name = "gpu_prefix_cache_hits",
     .series = kPrefixCacheHits,
     .need = kAlways,
     .choice = 1,
     .since = version(0, 8)},
    {.name = "prefix_cache_queries",
     .series = kPrefixCacheQueries,
     .need = kAlways,
     .since = version(0, 9)},
    {.name = "gpu_prefix_cache_queries",
     .series = kPrefixCacheQueries,
     .need = kAlways,
     .choice = 1,
     .since = version(0, 8)},
    {.name = "spec_decode_num_drafts", .series = kSpecDrafts, .need = kSpeculative},
    {.name = "spec_decode_num_draft_tokens", .series = kSpecDraftTokens, .need = kSpeculative},
    {.name = "spec_decode_num_accepted_tokens",
     .series = kSpecAcceptedTokens,
     .need = kSpeculative},
    {.name = "spec_decode_num_accepted_tokens_per_pos",
     .series = kSpecAcceptedPerPosition,
     .need = kSpeculative,
     .to = "position",
     .from = "position"},
};

constexpr Alias kRayServe[] = {
    {.name = "deployment_error_counter",
     .series = kRequestErrors,
     .to = kReason,
     .fixed = "deployment"},
};

constexpr Alias kSglang[] = {
    {.name = "num_running_reqs", .series = kRequestsRunning, .need = kIterations},
    {.name = "num_queue_reqs", .series = kRequestsWaiting, .need = kIterations},
    // Requests whose grammar is being compiled wait beside the queue.
    {.name = "num_grammar_queue_reqs", .series = kRequestsWaiting, .since = version(0, 5)},
    {.name = "token_usage", .series = kKvCacheUsage, .need = kIterations},
    {.name = "max_total_num_tokens",
     .series = kKvCacheCapacity,
     .need = kIterations,
     .since = version(0, 5)},
    {.name = "prompt_tokens", .series = kPromptTokens, .need = kRequests},
    {.name = "generation_tokens", .series = kGenerationTokens, .need = kRequests},
    {.name = "time_to_first_token_seconds", .series = kTimeToFirstToken, .need = kRequests},
    {.name = "inter_token_latency_seconds",
     .series = kInterTokenLatency,
     .need = kRequests,
     .since = version(0, 4)},
    {.name = "time_per_output_token_seconds",
     .series = kInterTokenLatency,
     .need = kRequests,
     .choice = 1},
    {.name = "e2e_request_latency_seconds", .series = kRequestDuration, .need = kRequests},
    {.name = "queue_time_seconds",
     .series = kRequestQueue,
     .need = kRequests,
     .since = version(0, 5)},
    {.name = "per_stage_req_latency_seconds",
     .series = kRequestPrefill,
     .since = version(0, 5),
     .only_label = "stage",
     .only_value = "prefill_forward"},
    {.name = "num_requests",
     .series = kRequestsFinished,
     .need = kRequests,
     .to = kReason,
     .fixed = kUnknownReason},
    {.name = "num_aborted_requests", .series = kRequestErrors, .to = kReason, .fixed = "abort"},
    {.name = "num_transfer_failed_reqs",
     .series = kRequestErrors,
     .to = kReason,
     .fixed = "kv_transfer"},
    {.name = "num_retracted_requests", .series = kPreemptions, .since = version(0, 5)},
    {.name = "cached_tokens", .series = kPrefixCacheHits},
    {.name = "prompt_tokens", .series = kPrefixCacheQueries, .need = kRequests},
    {.name = "cache_hit_rate", .series = kPrefixCacheHitRatio, .need = kIterations},
    {.name = "spec_accept_rate", .series = kSpecAcceptanceRatio, .since = version(0, 5)},
    {.name = "spec_accept_length", .series = kSpecAcceptanceLength},
    {.name = "startup_time_seconds",
     .series = kModelLoad,
     .since = version(0, 5),
     .only_label = "phase",
     .only_value = "load_weight"},
    {.name = "engine_load_weights_time", .series = kModelLoad, .choice = 1, .since = version(0, 5)},
    {.name = "weight_memory_usage_gb",
     .series = kModelMemory,
     .unit = kGibibytes,
     .since = version(0, 5),
     .to = "memory",
     .fixed = "gpu"},
};

// Builds are numbered, not versioned: b4000 and b9000 tell nothing by `since`.
constexpr Alias kLlamaCpp[] = {
    {.name = "requests_processing", .series = kRequestsRunning, .need = kAlways},
    {.name = "requests_deferred", .series = kRequestsWaiting, .need = kAlways},
    {.name = "kv_cache_usage_ratio", .series = kKvCacheUsage},  // until mid 2025
    {.name = "prompt_tokens", .series = kPromptTokens, .need = kAlways},
    {.name = "tokens_predicted", .series = kGenerationTokens, .need = kAlways},
    {.name = "tokens_predicted_seconds",
     .series = kInterTokenLatency,
     .need = kAlways,
     .part = kAsSum},
    {.name = "tokens_predicted", .series = kInterTokenLatency, .need = kAlways, .part = kAsCount},
    {.name = "prompt_seconds", .series = kPrefillSeconds, .need = kAlways},
    {.name = "tokens_predicted_seconds", .series = kDecodeSeconds, .need = kAlways},
    {.name = "prompt_tokens_cached", .series = kPrefixCacheHits},
    // What was looked up is what was processed and what was found.
    {.name = "prompt_tokens", .series = kPrefixCacheQueries},
    {.name = "prompt_tokens_cached", .series = kPrefixCacheQueries, .part = kWith},
    {.name = "spec_decode_num_drafts", .series = kSpecDrafts, .need = kMay},
    {.name = "spec_decode_num_draft_tokens", .series = kSpecDraftTokens},
    {.name = "spec_decode_num_accepted_tokens", .series = kSpecAcceptedTokens},
};

constexpr Alias kTgi[] = {
    {.name = "batch_current_size", .series = kRequestsRunning, .need = kRequests},
    {.name = "queue_size", .series = kRequestsWaiting, .need = kRequests},
    {.name = "batch_current_max_tokens", .series = kKvCacheUsage, .need = kRequests},
    {.name = "batch_max_total_tokens",
     .series = kKvCacheUsage,
     .need = kRequests,
     .part = kDenominator},
    {.name = "batch_max_total_tokens", .series = kKvCacheCapacity, .need = kRequests},
    {.name = "request_input_length",
     .series = kPromptTokens,
     .need = kRequests,
     .part = kHistogramSum},
    {.name = "request_generated_tokens",
     .series = kGenerationTokens,
     .need = kRequests,
     .part = kHistogramSum},
    {.name = "request_mean_time_per_token_duration",
     .series = kTimePerOutputToken,
     .need = kRequests},
    {.name = "request_duration", .series = kRequestDuration, .need = kRequests},
    {.name = "request_queue_duration", .series = kRequestQueue, .need = kRequests},
    {.name = "batch_inference_duration",
     .series = kPrefillSeconds,
     .need = kRequests,
     .part = kHistogramSum,
     .only_label = "method",
     .only_value = "prefill"},
    {.name = "batch_inference_duration",
     .series = kDecodeSeconds,
     .need = kRequests,
     .part = kHistogramSum,
     .only_label = "method",
     .only_value = "decode"},
    {.name = "request_success",
     .series = kRequestsFinished,
     .need = kRequests,
     .to = kReason,
     .fixed = kUnknownReason},
    {.name = "request_failure", .series = kRequestsFinished, .to = kReason, .fixed = "error"},
    {.name = "request_failure", .series = kRequestErrors, .to = kReason, .from = "err"},
    {.name = "request_skipped_tokens", .series = kSpecAcceptedTokens, .part = kHistogramSum},
};

constexpr Alias kTrtllm[] = {
    {.name = "num_requests_running",
     .series = kRequestsRunning,
     .need = kIterations,
     .since = version(1, 2)},
    {.name = "num_requests_waiting",
     .series = kRequestsWaiting,
     .need = kIterations,
     .since = version(1, 2)},
    {.name = "kv_cache_utilization", .series = kKvCacheUsage, .need = kIterations},
    {.name = "kv_cache_max_blocks",
     .series = kKvCacheCapacity,
     .need = kIterations,
     .since = version(1, 2)},
    {.name = "kv_cache_tokens_per_block",
     .series = kKvCacheCapacity,
     .need = kIterations,
     .part = kFactor,
     .since = version(1, 2)},
    {.name = "prompt_tokens", .series = kPromptTokens, .need = kRequests, .since = version(1, 2)},
    {.name = "generation_tokens",
     .series = kGenerationTokens,
     .need = kRequests,
     .since = version(1, 2)},
    {.name = "time_to_first_token_seconds", .series = kTimeToFirstToken, .need = kRequests},
    // The mean over a request, not each gap: the nearest that it gives.
    {.name = "time_per_output_token_seconds", .series = kInterTokenLatency, .need = kRequests},
    {.name = "time_per_output_token_seconds", .series = kTimePerOutputToken, .need = kRequests},
    {.name = "e2e_request_latency_seconds", .series = kRequestDuration, .need = kRequests},
    {.name = "request_queue_time_seconds", .series = kRequestQueue, .need = kRequests},
    {.name = "request_prefill_time_seconds",
     .series = kRequestPrefill,
     .need = kRequests,
     .since = version(1, 2)},
    {.name = "request_decode_time_seconds",
     .series = kRequestDecode,
     .need = kRequests,
     .since = version(1, 2)},
    {.name = "request_success",
     .series = kRequestsFinished,
     .need = kRequests,
     .to = kReason,
     .from = "finished_reason"},
    {.name = "request_error", .series = kRequestsFinished, .to = kReason, .fixed = "error"},
    {.name = "request_error", .series = kRequestErrors, .to = kReason, .from = "http_code"},
    {.name = "prompt_cached_tokens", .series = kPrefixCacheHits, .since = version(1, 2)},
    {.name = "prompt_tokens", .series = kPrefixCacheQueries, .since = version(1, 2)},
    {.name = "kv_cache_hit_rate", .series = kPrefixCacheHitRatio, .need = kIterations},
    {.name = "spec_decode_num_draft_tokens",
     .series = kSpecDraftTokens,
     .need = kSpeculative,
     .since = version(1, 2)},
    {.name = "spec_decode_num_accepted_tokens",
     .series = kSpecAcceptedTokens,
     .need = kSpeculative,
     .since = version(1, 2)},
    {.name = "spec_decode_accepted_tokens",
     .series = kSpecAcceptedPerPosition,
     .since = version(1, 2),
     .to = "position",
     .from = "token_position"},
    {.name = "spec_decode_acceptance_length",
     .series = kSpecAcceptanceLength,
     .since = version(1, 2)},
    {.name = "gpu_memory_usage_bytes",
     .series = kModelMemory,
     .need = kIterations,
     .since = version(1, 2),
     .to = "memory",
     .fixed = "gpu"},
    {.name = "cpu_memory_usage_bytes",
     .series = kModelMemory,
     .since = version(1, 2),
     .to = "memory",
     .fixed = "cpu"},
};

constexpr Alias kTriton[] = {
    {.name = "trt_llm_request_metrics",
     .series = kRequestsRunning,
     .need = kIterations,
     .only_label = "request_type",
     .only_value = "scheduled"},
    {.name = "trt_llm_request_metrics",
     .series = kRequestsWaiting,
     .only_label = "request_type",
     .only_value = "waiting"},
    {.name = "inference_pending_request_count",
     .series = kRequestsWaiting,
     .need = kAlways,
     .choice = 1},
    {.name = "trt_llm_kv_cache_block_metrics",
     .series = kKvCacheUsage,
     .need = kIterations,
     .only_label = "kv_cache_block_type",
     .only_value = "fraction"},
    {.name = "trt_llm_kv_cache_block_metrics",
     .series = kKvCacheUsage,
     .choice = 1,
     .only_label = "kv_cache_block_type",
     .only_value = "used"},
    {.name = "trt_llm_kv_cache_block_metrics",
     .series = kKvCacheUsage,
     .part = kDenominator,
     .choice = 1,
     .only_label = "kv_cache_block_type",
     .only_value = "max"},
    {.name = "trt_llm_kv_cache_block_metrics",
     .series = kKvCacheCapacity,
     .need = kIterations,
     .only_label = "kv_cache_block_type",
     .only_value = "max"},
    {.name = "trt_llm_kv_cache_block_metrics",
     .series = kKvCacheCapacity,
     .need = kIterations,
     .part = kFactor,
     .only_label = "kv_cache_block_type",
     .only_value = "tokens_per"},
    // To the first answer: of a model that streams its first piece, of any other the whole.
    {.name = "inference_first_response_histogram_ms",
     .series = kTimeToFirstToken,
     .unit = kMilliseconds},
    {.name = "inference_request_duration_us",
     .series = kRequestDuration,
     .need = kAlways,
     .part = kAsSum,
     .unit = kMicroseconds},
    {.name = "inference_request_success",
     .series = kRequestDuration,
     .need = kAlways,
     .part = kAsCount},
    {.name = "inference_queue_duration_us",
     .series = kRequestQueue,
     .need = kAlways,
     .part = kAsSum,
     .unit = kMicroseconds},
    {.name = "inference_request_success",
     .series = kRequestQueue,
     .need = kAlways,
     .part = kAsCount},
    {.name = "inference_request_success",
     .series = kRequestsFinished,
     .need = kAlways,
     .to = kReason,
     .fixed = kUnknownReason},
    {.name = "inference_request_failure",
     .series = kRequestsFinished,
     .to = kReason,
     .fixed = "error"},
    {.name = "inference_request_failure",
     .series = kRequestErrors,
     .need = kAlways,
     .to = kReason,
     .from = "reason"},
    {.name = "trt_llm_runtime_memory_metrics",
     .series = kModelMemory,
     .need = kIterations,
     .to = "memory",
     .from = "memory_type"},
};

constexpr Alias kLmdeploy[] = {
    {.name = "num_requests_running", .series = kRequestsRunning, .need = kAlways},
    {.name = "num_requests_waiting", .series = kRequestsWaiting, .need = kAlways},
    // Those that the API server has not handed on yet.
    {.name = "num_api_requests_waiting", .series = kRequestsWaiting},
    {.name = "gpu_cache_usage_perc", .series = kKvCacheUsage, .need = kAlways},
    {.name = "prompt_tokens", .series = kPromptTokens, .need = kAlways},
    {.name = "generation_tokens", .series = kGenerationTokens, .need = kAlways},
    {.name = "time_to_first_token_seconds", .series = kTimeToFirstToken, .need = kRequests},
    {.name = "iter_token_latency", .series = kInterTokenLatency, .need = kRequests},
    {.name = "time_per_output_token_seconds", .series = kTimePerOutputToken, .need = kRequests},
    {.name = "e2e_request_latency_seconds", .series = kRequestDuration, .need = kRequests},
    {.name = "request_queue_time_seconds", .series = kRequestQueue, .need = kRequests},
    {.name = "request_prefill_time_seconds", .series = kRequestPrefill, .need = kRequests},
    {.name = "request_decode_time_seconds", .series = kRequestDecode, .need = kRequests},
    {.name = "request_success",
     .series = kRequestsFinished,
     .need = kRequests,
     .to = kReason,
     .from = "finished_reason"},
    // A gauge by type, and only ever counted up.
    {.name = "num_requests_failed",
     .series = kRequestErrors,
     .need = kAlways,
     .to = kReason,
     .fixed = "error"},
    {.name = "cached_tokens", .series = kPrefixCacheHits, .since = version(0, 13)},
    {.name = "prompt_tokens", .series = kPrefixCacheQueries},
    {.name = "prefix_cache_hit_rate", .series = kPrefixCacheHitRatio, .since = version(0, 11)},
    {.name = "spec_decode_num_drafts", .series = kSpecDrafts, .need = kSpeculative},
    {.name = "spec_decode_num_draft_tokens", .series = kSpecDraftTokens, .need = kSpeculative},
    {.name = "spec_decode_num_accepted_tokens",
     .series = kSpecAcceptedTokens,
     .need = kSpeculative},
    {.name = "spec_decode_num_accepted_tokens_per_pos",
     .series = kSpecAcceptedPerPosition,
     .to = "position",
     .from = "position"},
    {.name = "spec_decode_mean_accept_rate", .series = kSpecAcceptanceRatio},
    {.name = "spec_decode_mean_accept_length", .series = kSpecAcceptanceLength},
};

constexpr AliasTable kTables[] = {
    {Engine::kVllm, "vllm_", kVllm},
    {Engine::kSglang, "sglang_", kSglang},
    {Engine::kLlamaCpp, "llamacpp_", kLlamaCpp},
    {Engine::kTgi, "tgi_", kTgi},
    {Engine::kTrtllmServe, "trtllm_", kTrtllm},
    {Engine::kTriton, "nv_", kTriton},
    {Engine::kLmdeploy, "lmdeploy_", kLmdeploy},
    {Engine::kRay, "ray_vllm_", kVllm},
    {Engine::kRay, "ray_serve_", kRayServe},
};

bool is_colon_engine(Engine engine) {
  return engine == Engine::kVllm || engine == Engine::kSglang || engine == Engine::kLlamaCpp ||
         engine == Engine::kLmdeploy;
}

// Triton's and TGI's counters are named without `_total`.
bool names_counters_total(Engine engine) {
  return engine != Engine::kTriton && engine != Engine::kTgi;
}

}  // namespace

double unit_factor(Unit unit) {
  switch (unit) {
    case kBase:
      return 1;
    case kMilliseconds:
      return 1e-3;
    case kMicroseconds:
      return 1e-6;
    case kGibibytes:
      return 1024.0 * 1024 * 1024;
  }
  return 1;
}

std::span<const AliasTable> alias_tables() { return kTables; }

std::string exposed_name(const AliasTable& table, const Alias& alias) {
  std::string name(table.prefix);
  if (is_colon_engine(table.engine)) name.back() = ':';
  name += alias.name;
  const bool counter =
      alias.part == kAsSum || alias.part == kAsCount ||
      (canonical(alias.series).type == model::MetricType::kCounter && alias.part != kHistogramSum);
  const bool gauge = table.engine == Engine::kLmdeploy && alias.series == kRequestErrors;
  if (counter && !gauge && names_counters_total(table.engine)) name += "_total";
  return name;
}

std::string canonical_reason(std::string_view value) {
  value = value.substr(value.rfind('.') + 1);  // "ResponseType.FINISH"
  std::string reason(value);
  std::ranges::transform(reason, reason.begin(), [](unsigned char c) { return std::tolower(c); });
  if (reason == "finish") return "stop";
  if (reason == "cancel" || reason == "canceled" || reason == "cancelled") return "abort";
  return reason;
}

}  // namespace binnacle::collect::engines
