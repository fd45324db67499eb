// Signals as values: blocked in every thread, waited for by the main one. So no handler ever runs
// and nothing has to be async-signal-safe.
#pragma once

#include <cstdint>
#include <optional>

namespace binnacle {

enum class Signal : uint8_t { kStop, kReload };  // SIGTERM or SIGINT; SIGHUP

// Call first thing in main(), before any thread starts. SIGPIPE is ignored for good.
void block_signals();

// The next signal, or nullopt after `timeout_ms`.
std::optional<Signal> wait_for_signal(int64_t timeout_ms);

}  // namespace binnacle
