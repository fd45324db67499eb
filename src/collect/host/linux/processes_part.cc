// How many processes and threads there are and in which states, from /proc/<pid>/stat. Reading one
// costs some 10 us, so this runs now and then, and on a host with very many processes only the
// totals are told.
#include <algorithm>
#include <map>

#include "base/process_stat.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kStateLabel[] = {"state"};
constexpr Metric kPids = gauge("node_processes_pids", "Number of PIDs");
constexpr Metric kThreads = gauge("node_processes_threads", "Allocated threads in system");
constexpr Metric kState =
    gauge("node_processes_state", "Number of processes in each state.", kStateLabel);
constexpr Metric kMaxProcesses = gauge("node_processes_max_processes", "Number of max PIDs limit");
constexpr Metric kMaxThreads =
    gauge("node_processes_max_threads", "Limit of threads in the system");

class ProcessesPart final : public Part {
 public:
  ProcessesPart(const Source& source, size_t max_read)
      : source_(source),
        max_read_(max_read),
        loadavg_(source.files, source.proc("loadavg")),
        pid_max_(source.files, source.proc("sys/kernel/pid_max")),
        threads_max_(source.files, source.proc("sys/kernel/threads-max")) {}

  std::string_view name() const override { return "processes"; }
  int64_t period_ms() const override { return 10'000; }

  Status collect(Emitter& emitter) override {
    TRY_ASSIGN(auto entries, source_.files.list(source_.proc_path));
    std::erase_if(entries, [](const DirEntry& entry) { return !is_pid(entry.name); });
    Faults faults;
    if (entries.size() <= max_read_) {
      emit_states(entries, emitter, faults);
    } else {
      emitter.emit(kPids, static_cast<double>(entries.size()));
      emit_total_threads(emitter, faults);
    }
    emit_limit(pid_max_, kMaxProcesses, emitter, faults);
    emit_limit(threads_max_, kMaxThreads, emitter, faults);
    return faults.take();
  }

 private:
  void emit_states(const std::vector<DirEntry>& pids, Emitter& emitter, Faults& faults) {
    std::map<std::string, double, std::less<>> states;
    double processes = 0;
    double threads = 0;
    for (const DirEntry& pid : pids) {
      const std::string path = source_.proc(pid.name) + "/stat";
      const auto text = source_.files.read_file(path);
      if (!text) continue;  // it ended since the list was read
      const auto process = parse_process_stat(*text);
      if (!process) {
        faults.bad(path, "the content", trim(*text));
        continue;
      }
      ++processes;
      threads += process->threads;
      ++states[std::string(process->state)];
    }
    emitter.emit(kPids, processes);
    emitter.emit(kThreads, threads);
    for (const auto& [state, count] : states) emitter.emit(kState, {state}, count);
  }

  // The kernel's own count, after the slash of loadavg's fourth field: "0.01 0.03 0.06 1/95 7776".
  void emit_total_threads(Emitter& emitter, Faults& faults) {
    const auto text = loadavg_.read();
    if (!text) return faults.add(fail(text.error()));
    const size_t slash = text->find('/');
    std::string_view rest =
        slash == std::string_view::npos ? std::string_view() : text->substr(slash + 1);
    if (const auto threads = parse_number(next_field(rest))) {
      emitter.emit(kThreads, *threads);
    } else {
      faults.bad(loadavg_.path(), "the number of threads", trim(*text));
    }
  }

  static void emit_limit(KernelFile& file, const Metric& metric, Emitter& emitter, Faults& faults) {
    const auto text = file.read();
    if (!text) return faults.add(fail(text.error()));
    if (const auto value = parse_number(trim(*text))) {
      emitter.emit(metric, *value);
    } else {
      faults.bad(file.path(), "the value", trim(*text));
    }
  }

  const Source source_;
  const size_t max_read_;
  KernelFile loadavg_;
  KernelFile pid_max_;
  KernelFile threads_max_;
};

}  // namespace

std::unique_ptr<Part> processes_part(const Source& source, size_t max_read) {
  return std::make_unique<ProcessesPart>(source, max_read);
}

}  // namespace binnacle::collect::host
