#include "base/os_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgets to say that it is C
}

namespace binnacle {
namespace {

constexpr std::array kHandedOn{"PATH", "HOME", "LANG", "TZ", "TMPDIR"};

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

struct Pipe {
  int read = -1;
  int write = -1;
  ~Pipe() {
    close_fd(read);
    close_fd(write);
  }
  Status open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(errno_error("pipe", errno));
    read = ends[0];
    write = ends[1];
    return {};
  }
};

// A file rather than a pipe: a child that does not read it blocks nobody.
class InputFile {
 public:
  ~InputFile() { close_fd(fd_); }
  Status write(std::string_view text) {
    if (text.empty()) return {};
    fd_ = ::memfd_create("input", MFD_CLOEXEC);
    if (fd_ < 0) return fail(errno_error("file for a program's input", errno));
    while (!text.empty()) {
      const ssize_t done = ::write(fd_, text.data(), text.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return fail(errno_error("write a program's input", errno));
      text.remove_prefix(static_cast<size_t>(done));
    }
    if (::lseek(fd_, 0, SEEK_SET) < 0) return fail(errno_error("write a program's input", errno));
    return {};
  }
  int fd() const { return fd_; }  // -1: there is no input

 private:
  int fd_ = -1;
};

std::vector<std::string> environment_of(const ProgramSpec& spec) {
  std::vector<std::string> out;
  for (const char* name : kHandedOn) {
    const bool given = std::any_of(spec.environment.begin(), spec.environment.end(),
                                   [name](const auto& one) { return one.first == name; });
    const char* value = given ? nullptr : std::getenv(name);
    if (value != nullptr) out.push_back(std::string(name) + "=" + value);
  }
  for (const auto& [name, value] : spec.environment) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// What the child does between its start and the program.
struct Preparation {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  Preparation() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~Preparation() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  // Errors are kept by glibc and come out of the start itself, but for lack of memory.
  void fill(int in, int out, int err, const std::string& folder) {
    if (in >= 0) {
      posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    } else {
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    if (!folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    sigset_t none;
    sigemptyset(&none);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
};

}  // namespace

Result<std::string> this_program() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size < 0) return fail(errno_error("path of this program", errno));
  return std::string(path.data(), static_cast<size_t>(size));
}

Error become_program(std::vector<std::string> argv,
                     const std::vector<std::pair<std::string, std::string>>& defaults) {
  for (const auto& [name, value] : defaults) ::setenv(name.c_str(), value.c_str(), 0);
  std::vector<char*> words = pointers(argv);
  ::execvp(words.front(), words.data());
  return errno_error("start " + argv.front(), errno);
}

Result<std::unique_ptr<OsProcess>> OsProcess::start(const ProgramSpec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty())
    return fail(Code::kInvalidArgument, "start a program: no command is given");
  Pipe out;
  Pipe err;
  TRY(out.open());
  TRY(err.open());
  InputFile in;
  TRY(in.write(spec.input));
  Preparation preparation;
  preparation.fill(in.fd(), out.write, err.write, spec.folder);
  std::vector<std::string> words = spec.argv;
  std::vector<std::string> variables = environment_of(spec);
  const auto argv = pointers(words);
  const auto envp = pointers(variables);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, words.front().c_str(), &preparation.actions,
                                 &preparation.attributes, argv.data(), envp.data());
  if (error != 0) {
    const std::string where = spec.folder.empty() ? "" : " in " + spec.folder;
    return fail(errno_error("start " + spec.argv.front() + where, error));
  }
  std::unique_ptr<OsProcess> made(new OsProcess);
  made->pid_ = pid;
  made->out_fd_ = std::exchange(out.read, -1);
  made->err_fd_ = std::exchange(err.read, -1);
  made->ended_fd_ = ::pidfd_open(pid, 0);
  if (made->ended_fd_ < 0) return fail(errno_error("watch " + spec.argv.front(), errno));
  return made;
}

OsProcess::~OsProcess() {
  kill();
  reap();
  close_fd(ended_fd_);
  close_fd(out_fd_);
  close_fd(err_fd_);
}

// The group's number is not given away again before its leader is reaped.
void OsProcess::signal_group(int signal) {
  if (pid_ > 0 && !exit_) ::kill(-pid_, signal);
}

void OsProcess::terminate() { signal_group(SIGTERM); }
void OsProcess::kill() { signal_group(SIGKILL); }

std::optional<ProgramExit> OsProcess::reap() {
  if (exit_ || pid_ <= 0) return exit_;
  int state = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid_, &state, WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == 0) return std::nullopt;
  exit_.emplace();  // somebody else took it: it is gone at least
  if (reaped == pid_ && WIFSIGNALED(state)) exit_ = {true, WTERMSIG(state)};
  if (reaped == pid_ && WIFEXITED(state)) exit_ = {false, WEXITSTATUS(state)};
  return exit_;
}

}  // namespace binnacle
