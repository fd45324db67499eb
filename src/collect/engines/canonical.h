// The canonical series: the one schema that every engine's own names are brought to. Base units,
// names by the Prometheus conventions. docs/engines.md lists them. A constant table; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/sample.h"

namespace binnacle::collect::engines {

// In the order of the table and of docs/engines.md.
enum class Series : uint8_t {
  kRequestsRunning,
  kRequestsWaiting,
  kKvCacheUsage,
  kKvCacheCapacity,
  kPromptTokens,
  kGenerationTokens,
  kTimeToFirstToken,
  kInterTokenLatency,
  kTimePerOutputToken,
  kRequestDuration,
  kRequestQueue,
  kRequestPrefill,
  kRequestDecode,
  kPrefillSeconds,
  kDecodeSeconds,
  kRequestsFinished,
  kRequestErrors,
  kPreemptions,
  kPrefixCacheHits,
  kPrefixCacheQueries,
  kPrefixCacheHitRatio,
  kSpecDrafts,
  kSpecDraftTokens,
  kSpecAcceptedTokens,
  kSpecAcceptedPerPosition,
  kSpecAcceptanceRatio,
  kSpecAcceptanceLength,
  kModelInfo,
  kModelLoad,
  kModelMemory,
  kModelContext,
  kModelsLoaded,
  kModelsAvailable,
  kRunners,
  kNodeMemoryTotal,
  kNodeMemoryAvailable,
  kNodeGpuUsage,
  kNodePower,
  kNodeTemperature,
};
inline constexpr size_t kSeries = 39;

// What becomes of several series of an engine that are one in the schema: ranks, sources, reasons.
enum class Combine : uint8_t { kSum, kAverage };

struct CanonicalSeries {
  std::string_view name;  // of a histogram without _bucket, _sum, _count
  model::MetricType type;
  Combine combine;
  std::string_view help;
};

const CanonicalSeries& canonical(Series series);
std::span<const CanonicalSeries> canonical_series();

}  // namespace binnacle::collect::engines
