#include "base/process_stat.h"

#include <algorithm>
#include <charconv>

namespace binnacle {
namespace {

// Numbers of fields as proc(5) counts them.
constexpr int kParent = 4;
constexpr int kMinorFaults = 10;
constexpr int kMajorFaults = 12;
constexpr int kUser = 14;
constexpr int kSystem = 15;
constexpr int kThreads = 20;
constexpr int kStart = 22;
constexpr int kVirtual = 23;
constexpr int kResident = 24;

std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
  rest.remove_prefix(word.size());
  return word;
}

template <typename Number>
std::optional<Number> number_of(std::string_view word) {
  Number number{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The name before it may hold anything, closing brackets too, so its end is the last one.
  const size_t end = text.rfind(')');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(end + 1);
  ProcessStat process;
  process.state = next_word(rest);
  for (int field = kParent; field <= kResident; ++field) {
    const std::string_view word = next_word(rest);
    const auto number = [&] { return number_of<double>(word).value_or(0); };
    switch (field) {
      case kParent:
        process.parent = number_of<int64_t>(word).value_or(0);
        break;
      case kMinorFaults:
        process.minor_faults = number();
        break;
      case kMajorFaults:
        process.major_faults = number();
        break;
      case kUser:
        process.user_ticks = number();
        break;
      case kSystem:
        process.system_ticks = number();
        break;
      case kThreads:
        if (!number_of<double>(word)) return std::nullopt;
        process.threads = number();
        break;
      case kStart:
        process.start_ticks = number_of<int64_t>(word).value_or(0);
        break;
      case kVirtual:
        process.virtual_bytes = number();
        break;
      case kResident:
        process.resident_pages = number();
        break;
      default:
        break;
    }
  }
  return process;
}

}  // namespace binnacle
