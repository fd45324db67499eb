#include "collect/host/linux/process_stat.h"

#include "collect/host/linux/kernel_text.h"

namespace binnacle::collect::host {
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

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The name before it may hold anything, closing brackets too, so its end is the last one.
  const size_t end = text.rfind(')');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view rest = trim(text.substr(end + 1));
  ProcessStat process;
  process.state = next_field(rest);
  for (int field = kParent; field <= kResident; ++field) {
    const std::string_view value = next_field(rest);
    const auto number = [&] { return parse_number(value).value_or(0); };
    switch (field) {
      case kParent:
        process.parent = parse_integer(value).value_or(0);
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
        if (!parse_number(value)) return std::nullopt;
        process.threads = number();
        break;
      case kStart:
        process.start_ticks = parse_integer(value).value_or(0);
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

}  // namespace binnacle::collect::host
