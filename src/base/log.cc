#include "base/log.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log_line.h"
#include "base/mutex.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <unistd.h>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>

namespace binnacle {

struct Log::Component {
  explicit Component(std::string_view component_name) : name(component_name) {}

  const std::string name;
  std::atomic<LogLevel> level{LogLevel::kInfo};
};

namespace {

constexpr std::array<std::string_view, 6> kLevelNames = {"trace", "debug", "info",
                                                         "warn",  "error", "off"};

thread_local std::string_view current_request_id;

// Where lines go and how they look; replaced whole by configure_logging().
struct Output {
  std::string service;
  bool json = true;
  bool colour = false;
  std::shared_ptr<spdlog::logger> logger;
};

// Every line goes out at once: the last lines before a crash are those that count.
std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  auto logger = std::make_shared<spdlog::logger>("", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  return logger;
}

Result<std::shared_ptr<const Output>> make_output(const LogOptions& options) {
  const bool terminal = options.file.empty() && ::isatty(STDERR_FILENO) == 1;
  const bool text =
      options.format == LogFormat::kText || (options.format == LogFormat::kAuto && terminal);
  auto output = std::make_shared<Output>();
  output->service = options.service;
  output->json = !text;
  output->colour = text && terminal && std::getenv("NO_COLOR") == nullptr;
  if (options.file.empty()) {
    output->logger = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    return output;
  }
  try {
    output->logger = make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
  } catch (const spdlog::spdlog_ex& error) {
    return fail(Code::kFailedPrecondition,
                fmt::format("open log file {}: {}; check the folder and its permissions",
                            options.file, error.what()));
  }
  return output;
}

}  // namespace

// The one process-wide state; never destroyed, since threads may log while the process ends.
class LogTable {
 public:
  static LogTable& instance() {
    static LogTable& table = *new LogTable;
    return table;
  }

  const Log::Component& component(std::string_view name) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    auto found = components_.find(name);
    if (found == components_.end()) {
      auto made = std::make_unique<Log::Component>(name);
      made->level = level_for(name);
      found = components_.emplace(std::string(name), std::move(made)).first;
    }
    return *found->second;
  }

  void configure(std::shared_ptr<const Output> output, const LogOptions& options) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    output_ = std::move(output);
    default_level_ = options.level;
    levels_.clear();
    levels_.insert(options.component_levels.begin(), options.component_levels.end());
    for (auto& [name, component] : components_) component->level = level_for(name);
  }

  void set_level(std::string_view name, LogLevel level) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    levels_.insert_or_assign(std::string(name), level);
    const auto found = components_.find(name);
    if (found != components_.end()) found->second->level = level;
  }

  void start_capture() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    CHECK(!captured_.has_value());
    captured_.emplace();
  }

  void stop_capture() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    captured_.reset();
  }

  std::vector<std::string> captured() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return captured_.value_or(std::vector<std::string>());
  }

  void write(LogEvent event) EXCLUDES(mu_) {
    std::shared_ptr<const Output> output;
    {
      MutexLock lock(mu_);
      output = output_;
      event.service = output->service;
      if (captured_) {
        captured_->push_back(log_line_json(event));
        return;
      }
    }
    output->logger->log(spdlog::level::info,
                        output->json ? log_line_json(event) : log_line_text(event, output->colour));
  }

 private:
  LogTable() {
    auto output = make_output(LogOptions{});
    CHECK(output.has_value());
    output_ = std::move(*output);
  }

  LogLevel level_for(std::string_view name) REQUIRES(mu_) {
    const auto own = levels_.find(name);
    return own == levels_.end() ? default_level_ : own->second;
  }

  Mutex mu_;
  std::shared_ptr<const Output> output_ GUARDED_BY(mu_);
  LogLevel default_level_ GUARDED_BY(mu_) = LogLevel::kInfo;
  std::map<std::string, LogLevel, std::less<>> levels_ GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<Log::Component>, std::less<>> components_ GUARDED_BY(mu_);
  std::optional<std::vector<std::string>> captured_ GUARDED_BY(mu_);
};

std::string_view log_level_name(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

Result<LogLevel> log_level_from_name(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return fail(Code::kInvalidArgument, fmt::format("log level: unknown name ({}); use one of {}",
                                                  name, fmt::join(kLevelNames, ", ")));
}

Log::Log(std::string_view component) : Log(LogTable::instance().component(component)) {}

Log::Log(const Component& component) : component_(&component), level_(&component.level) {}

void Log::write(LogLevel level, std::string_view message, LogFields fields) const {
  if (!enabled(level)) return;
  CHECK(level != LogLevel::kOff);
  LogTable::instance().write({.wall_ms = SystemClock().wall_ms(),
                              .level = level,
                              .service = {},
                              .component = component_->name,
                              .message = message,
                              .request_id = current_request_id,
                              .fields = fields});
}

Status configure_logging(const LogOptions& options) {
  TRY_ASSIGN(auto output, make_output(options));
  LogTable::instance().configure(std::move(output), options);
  return {};
}

void set_log_level(std::string_view component, LogLevel level) {
  LogTable::instance().set_level(component, level);
}

LogRequestScope::LogRequestScope(std::string_view request_id)
    : previous_(std::exchange(current_request_id, request_id)) {}

LogRequestScope::~LogRequestScope() { current_request_id = previous_; }

LogCapture::LogCapture() { LogTable::instance().start_capture(); }
LogCapture::~LogCapture() { LogTable::instance().stop_capture(); }
std::vector<std::string> LogCapture::lines() const { return LogTable::instance().captured(); }

}  // namespace binnacle
