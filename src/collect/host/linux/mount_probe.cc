#include "collect/host/linux/mount_probe.h"

#include <pthread.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <system_error>
#include <thread>
#include <unordered_set>

#include "base/mutex.h"

namespace binnacle::collect::host {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
// When nothing moves for that long the worker hangs, and another one takes the rest of the queue.
constexpr int64_t kPatienceMs = 20;

}  // namespace

Result<MountUsage> ask_statfs(const std::string& path) {
  struct statfs facts {};
  if (::statfs(path.c_str(), &facts) != 0) return fail(errno_error("statfs " + path, errno));
  const auto block = static_cast<double>(facts.f_bsize);
  return MountUsage{.size_bytes = static_cast<double>(facts.f_blocks) * block,
                    .free_bytes = static_cast<double>(facts.f_bfree) * block,
                    .available_bytes = static_cast<double>(facts.f_bavail) * block,
                    .files = static_cast<double>(facts.f_files),
                    .files_free = static_cast<double>(facts.f_ffree)};
}

struct MountProbe::Shared {
  struct Question {
    bool open = false;
    int64_t asked_ns = 0;
    std::optional<Result<MountUsage>> answer;  // the last one
  };

  explicit Shared(Ask a) : ask(std::move(a)) {}

  // False: the last question about that mount is still open.
  bool enqueue(const std::string& path, int64_t now_ns) REQUIRES(mu) {
    Question& question = questions[path];
    if (question.open) return false;
    question.open = true;
    question.asked_ns = now_ns;
    queue.push_back(path);
    return true;
  }

  bool all_answered(const std::vector<std::string>& paths) REQUIRES(mu) {
    for (const std::string& path : paths) {
      if (questions[path].open) return false;
    }
    return true;
  }

  // Forgets mounts that are gone; one that hangs is kept so that its thread finds its question.
  void forget_others(const std::vector<std::string>& paths) REQUIRES(mu) {
    const std::unordered_set<std::string_view> kept(paths.begin(), paths.end());
    std::erase_if(questions, [&](const auto& entry) {
      return !entry.second.open && !kept.contains(entry.first);
    });
  }

  // False when no further thread can be had.
  bool add_worker(const std::shared_ptr<Shared>& self, size_t max_threads) REQUIRES(mu) {
    if (threads >= max_threads) return false;
    try {
      // Detached: a thread that hangs in the kernel cannot be joined, and must not keep the process
      // from ending.
      std::thread([self] { work(self); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    ++threads;
    return true;
  }

  // Fixed after construction.
  const Ask ask;

  Mutex mu;
  CondVar asked;     // the queue grew, or the probe ends
  CondVar answered;  // a question was closed, or a thread ended
  std::deque<std::string> queue GUARDED_BY(mu);
  std::map<std::string, Question> questions GUARDED_BY(mu);
  size_t threads GUARDED_BY(mu) = 0;
  size_t asking GUARDED_BY(mu) = 0;  // of them, inside `ask`
  bool stopping GUARDED_BY(mu) = false;
};

MountProbe::MountProbe(Options options, const Clock& clock, Ask ask)
    : options_(options), clock_(clock), shared_(std::make_shared<Shared>(std::move(ask))) {}

MountProbe::~MountProbe() {
  MutexLock lock(shared_->mu);
  shared_->stopping = true;
  shared_->asked.notify_all();
  while (shared_->threads > shared_->asking) shared_->answered.wait(shared_->mu);
}

void MountProbe::work(const std::shared_ptr<Shared>& shared) {
  pthread_setname_np(pthread_self(), "host-statfs");
  MutexLock lock(shared->mu);
  for (;;) {
    while (shared->queue.empty() && !shared->stopping) shared->asked.wait(shared->mu);
    if (shared->stopping) break;
    const std::string path = std::move(shared->queue.front());
    shared->queue.pop_front();
    ++shared->asking;
    shared->mu.unlock();
    Result<MountUsage> answer = shared->ask(path);
    shared->mu.lock();
    --shared->asking;
    Shared::Question& question = shared->questions[path];
    question.open = false;
    question.answer = std::move(answer);
    shared->answered.notify_all();
  }
  --shared->threads;
  shared->answered.notify_all();
}

std::vector<std::optional<Result<MountUsage>>> MountProbe::ask(
    const std::vector<std::string>& paths) {
  const int64_t now_ns = clock_.monotonic_ns();
  MutexLock lock(shared_->mu);
  shared_->forget_others(paths);
  // What hung before is not waited for again: one dead server must not slow down every run.
  std::vector<std::string> asked;
  for (const std::string& path : paths) {
    if (shared_->enqueue(path, now_ns)) asked.push_back(path);
  }
  if (shared_->threads == shared_->asking) shared_->add_worker(shared_, options_.max_threads);
  shared_->asked.notify_all();

  int64_t left_ms = options_.wait_ms;
  while (!shared_->all_answered(asked) && left_ms > 0) {
    const size_t queued = shared_->queue.size();
    const int64_t slice_ms = std::min(left_ms, kPatienceMs);
    if (shared_->answered.wait_for_ms(shared_->mu, slice_ms)) continue;
    left_ms -= slice_ms;
    if (queued > 0 && shared_->queue.size() == queued) {
      shared_->add_worker(shared_, options_.max_threads);
    }
  }

  std::vector<std::optional<Result<MountUsage>>> answers;
  for (const std::string& path : paths) {
    const Shared::Question& question = shared_->questions[path];
    const bool stuck = question.open && now_ns - question.asked_ns >= options_.stuck_ms * kNsPerMs;
    answers.push_back(stuck ? std::nullopt : question.answer);
  }
  return answers;
}

}  // namespace binnacle::collect::host
