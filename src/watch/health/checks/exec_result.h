// What a script said: Nagios' plugin convention (exit code, "message | label=value") or one JSON
// object {"status", "message", "value", "unit"}. Pure; the text is untrusted.
#pragma once

#include <string>
#include <string_view>

#include "base/os_process.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

enum class ExecFormat : uint8_t { kAuto, kNagios, kJson };  // kAuto: JSON where it begins with {

// Of a program that ended by itself. Where both JSON's status and the exit code speak, the worse of
// them counts.
Reading read_exec_result(ExecFormat format, const ProgramExit& exit, std::string_view out,
                         std::string_view err);

}  // namespace binnacle::watch::health
