// Turns an engine's answers to the poll table's questions into series. Pure: knows neither the
// network nor a store. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "collect/engines/poll_table.h"
#include "model/labels.h"

namespace binnacle::collect::engines {

// Why a question was not answered, for the counter of failures.
enum class PollFault : uint8_t { kNone, kUnreachable, kNoAnswer, kStatus, kNotJson };
inline constexpr size_t kPollFaults = 5;
std::string_view poll_fault_name(PollFault fault);  // "no_answer"

struct PollAnswer {
  std::string_view path;  // of the table
  PollFault fault = PollFault::kNone;
  std::string body;     // of a good one
  std::string problem;  // of a bad one: for people
};

struct PolledSeries {
  model::Labels labels;  // with __name__ and engine, without the target's
  double value = 0;
};

struct PollResult {
  std::vector<PolledSeries> series;  // by labels, each once
  std::vector<PollAnswer> faults;    // answers that were of no use, kNotJson found here among them
  bool up = false;
  size_t left_out = 0;  // series beyond the limit
};

// The paths to be asked, the health endpoint first, each once.
std::vector<std::string_view> poll_paths(Engine engine);

// Beside the canonical series: binnacle_engine_up, binnacle_engine_busy of an engine that takes one
// request at a time, binnacle_engine_info, binnacle_engine_expected_series_absent.
// What comes from the tables is at most `max_series`; what tells of the engine comes in any case.
inline constexpr size_t kMaxPolledSeries = 2'000;
PollResult read_answers(Engine engine, std::vector<PollAnswer> answers,
                        size_t max_series = kMaxPolledSeries);

}  // namespace binnacle::collect::engines
