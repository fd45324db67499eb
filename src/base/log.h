// Structured logging: one event a line, JSON for machines, coloured text on a terminal.
// JSON keys: timestamp (RFC 3339 UTC), level, service, component, message, request_id when there is
// one, then the fields. Secrets never go into a field. Any thread; levels may change while running.
#pragma once

#include "base/error.h"

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace binnacle {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kOff };
std::string_view log_level_name(LogLevel level);  // "info"
Result<LogLevel> log_level_from_name(std::string_view name);

struct LogField {
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k) {
    if constexpr (std::same_as<T, bool>) {
      value = v;
    } else if constexpr (std::unsigned_integral<T>) {
      value = static_cast<uint64_t>(v);
    } else {
      value = static_cast<int64_t>(v);
    }
  }
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}

  std::string_view key;
  std::variant<std::string_view, int64_t, uint64_t, double, bool> value;
};
using LogFields = std::initializer_list<LogField>;

// One per room or class, usually a member: `Log log_{"net"};`. A line below the level costs one
// atomic load. A field named like one of the fixed keys is written as `field_<name>`.
class Log {
 public:
  explicit Log(std::string_view component);

  bool enabled(LogLevel level) const { return level >= level_->load(std::memory_order_relaxed); }
  void trace(std::string_view message, LogFields fields = {}) const {
    if (enabled(LogLevel::kTrace)) write(LogLevel::kTrace, message, fields);
  }
  void debug(std::string_view message, LogFields fields = {}) const {
    if (enabled(LogLevel::kDebug)) write(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, LogFields fields = {}) const {
    write(LogLevel::kInfo, message, fields);
  }
  void warn(std::string_view message, LogFields fields = {}) const {
    write(LogLevel::kWarn, message, fields);
  }
  void error(std::string_view message, LogFields fields = {}) const {
    write(LogLevel::kError, message, fields);
  }
  void write(LogLevel level, std::string_view message, LogFields fields) const;

 private:
  friend class LogTable;
  struct Component;
  explicit Log(const Component& component);

  // Fixed after construction. Both live for ever in the process-wide table.
  const Component* component_;
  const std::atomic<LogLevel>* level_;
};

enum class LogFormat : uint8_t { kAuto, kJson, kText };  // kAuto: text when stderr is a terminal

struct LogOptions {
  std::string service = "binnacle";
  LogFormat format = LogFormat::kAuto;
  LogLevel level = LogLevel::kInfo;
  std::map<std::string, LogLevel> component_levels;  // overrides `level`
  std::string file;                                  // empty: stderr
};

// Process-wide. May be called again while running: on reload, or to open the file anew after it was
// rotated. When the file cannot be opened, nothing changes.
Status configure_logging(const LogOptions& options);
// Until the next configure_logging(). The component need not have been seen yet.
void set_log_level(std::string_view component, LogLevel level);

// The request id that lines written by this thread carry, for the life of the scope; `request_id`
// must outlive it. A coroutine may be resumed on another thread: no scope may be open across a
// co_await.
class LogRequestScope {
 public:
  explicit LogRequestScope(std::string_view request_id);
  ~LogRequestScope();
  LogRequestScope(const LogRequestScope&) = delete;
  LogRequestScope& operator=(const LogRequestScope&) = delete;

 private:
  std::string_view previous_;
};

// For tests: lines are kept here, as JSON without newline, for the life of the object. One at a
// time.
class LogCapture {
 public:
  LogCapture();
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  std::vector<std::string> lines() const;
};

}  // namespace binnacle
