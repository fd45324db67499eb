// How one log event reads, as JSON and as text. Pure functions of the event: log.cc decides where
// it goes. Whatever bytes come in, a line stays one line, in valid UTF-8, and sends no escape codes
// to the terminal.
#pragma once

#include "base/log.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace binnacle {

struct LogEvent {
  int64_t wall_ms = 0;
  LogLevel level = LogLevel::kInfo;
  std::string_view service;
  std::string_view component;
  std::string_view message;
  std::string_view request_id;  // empty: none
  LogFields fields;
};

// {"timestamp":"2026-01-02T03:04:05.678Z","level":"info","service":"binnacle","component":"net"...}
// Numbers stay numbers; NaN and infinities, which JSON lacks, become strings.
std::string log_line_json(const LogEvent& event);

// 2026-01-02T03:04:05.678Z INFO  net: listening address=127.0.0.1:8080
// Values are quoted where a reader could not tell their end.
std::string log_line_text(const LogEvent& event, bool colour);

}  // namespace binnacle
