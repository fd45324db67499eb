// What is asked of the engines that export no metrics, and what of their JSON becomes which series:
// one row for each reading, as in the alias table. Constant tables; any thread.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "collect/engines/alias_table.h"

namespace binnacle::collect::engines {

struct PollEngine {
  Engine engine;
  // What answers while the engine lives; "up" means that it did. `health_blind` says what a good
  // answer does not show.
  std::string_view health_path;
  std::string_view health_blind;
  // One request at a time: no answer in time, on a connection that was taken, means busy.
  bool one_at_a_time = false;
  std::string_view version_path;  // "" : it tells none
  std::string_view version_pointer;
};

enum class Take : uint8_t {
  kNumber,  // the value, a number
  kOne,     // 1, for an info series
  kCount,   // how many there are; 0 where the list is there and empty
};

// A label from the answer. `from`: "" is the value found itself, "@" the name of the member that
// the last `*` of the pointer stood for, "@@" that of the last but one, "=text" that text, else a
// pointer from the value found. Of a field that takes numbers or counts.
struct PollLabel {
  std::string_view name;
  std::string_view from;
};

struct PollField {
  Engine engine;
  std::string_view path;
  std::string_view pointer;  // JSON pointer, where `*` is every member of a list or an object
  Series series;
  Take take = Take::kNumber;
  // Expected whenever the path answers. kMay is for what comes with a loaded model alone.
  Need need = Need::kMay;
  double factor = 1;
  std::string_view value = {};       // pointer from what was found to the number
  std::string_view minus = {};       // ... to a number that is taken off it
  std::string_view only = {};        // ... to a text that must be
  std::string_view only_value = {};  // this one
  std::array<PollLabel, 4> labels = {};
};

std::span<const PollEngine> poll_engines();
const PollEngine* poll_engine(Engine engine);  // null: it is not polled
std::span<const PollField> poll_fields();

}  // namespace binnacle::collect::engines
