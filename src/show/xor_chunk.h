// Samples as the XOR chunks of Prometheus' store: what remote read's streamed answers carry.
// Source: Prometheus tsdb/docs/format/chunks.md, "XOR chunk data"; "Gorilla: A Fast, Scalable,
// In-Memory Time Series Database", VLDB 2015, section 4.1. Writes only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace binnacle::show {

inline constexpr size_t kXorChunkSamples = 120;  // as many as Prometheus puts into one

// As many times as values, 1 to 65535, times rising.
std::string xor_chunk(std::span<const int64_t> times_ms, std::span<const double> values);

}  // namespace binnacle::show
