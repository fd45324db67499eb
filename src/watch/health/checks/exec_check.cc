// `exec`: runs a program and reads what it says.
#include <fmt/format.h>

#include "net/run_program.h"
#include "watch/health/checks/exec_result.h"
#include "watch/health/checks/kinds.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr uint64_t kMaxOutputBytes = uint64_t{16} << 20;

class ExecCheck final : public Check {
 public:
  explicit ExecCheck(YamlMap& map) {
    map.read("command", program_.argv);
    if (program_.argv.empty() || program_.argv.front().empty())
      map.value().problem("command is missing: a list of the program and its words");
    map.read("env", program_.environment);
    map.file("working_dir", program_.folder);
    uint64_t kept = limits_.max_kept_bytes;
    map.size("max_output", kept);
    if (kept > kMaxOutputBytes) map.value().problem("max_output is above 16MB");
    limits_.max_kept_bytes = kept;
    int64_t grace_ms = limits_.term_grace.count();
    map.duration("kill_after", grace_ms);
    if (grace_ms > 60'000) map.value().problem("kill_after is above 1m");
    limits_.term_grace = milliseconds(grace_ms);
    std::string format = "auto";
    constexpr std::string_view kFormats[] = {"auto", "nagios", "json"};
    map.choice("format", format, kFormats);
    format_ = format == "json"     ? ExecFormat::kJson
              : format == "nagios" ? ExecFormat::kNagios
                                   : ExecFormat::kAuto;
    map.finish();
  }

  asio::awaitable<Reading> run(milliseconds timeout) override {
    if (stuck_ && !stuck_->reap()) {
      co_return Reading{.health = Health::kFailed,
                        .message = fmt::format("process {} of an earlier run does not die even "
                                               "when killed: it hangs in the kernel",
                                               stuck_->pid())};
    }
    stuck_.reset();
    net::ProgramLimits limits = limits_;
    limits.timeout = timeout;
    auto ran = co_await net::run_program(program_, limits);
    if (!ran) co_return Reading{.health = Health::kUnknown, .message = ran.error().message};
    stuck_ = std::move(ran->stuck);
    if (ran->timed_out) {
      co_return Reading{
          .health = Health::kFailed,
          .message = fmt::format("no result within {}: killed{}",
                                 seconds_text(double(timeout.count()) / 1000), last_words(*ran))};
    }
    if (ran->printed_too_much) {
      co_return Reading{
          .health = Health::kUnknown,
          .message = fmt::format("it printed more than {}: killed{}",
                                 bytes_text(double(limits.max_printed_bytes)), last_words(*ran))};
    }
    co_return read_exec_result(format_, ran->exit, ran->out, ran->err);
  }

 private:
  static std::string last_words(const net::ProgramRun& ran) {
    const std::string& said = ran.err.empty() ? ran.out : ran.err;
    return said.empty() ? "" : "; it said: " + one_line(said, 100);
  }

  // Fixed after construction
  ProgramSpec program_;
  net::ProgramLimits limits_;
  ExecFormat format_ = ExecFormat::kAuto;

  std::unique_ptr<OsProcess> stuck_;  // one run at a time
};

}  // namespace

std::unique_ptr<Check> read_exec_check(const KindInput& input) {
  YamlMap map(input.settings);
  return std::make_unique<ExecCheck>(map);
}

}  // namespace binnacle::watch::health
