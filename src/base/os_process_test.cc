#include "base/os_process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace binnacle {
namespace {

// What comes out of a pipe until its other end is closed.
std::string read_all(int fd) {
  std::string out;
  char piece[4096];
  for (ssize_t size = 0; (size = ::read(fd, piece, sizeof piece)) > 0;)
    out.append(piece, static_cast<size_t>(size));
  ::close(fd);
  return out;
}

ProgramExit wait_for(OsProcess& process) {
  pollfd ended{process.ended_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 20'000), 1);
  const auto exit = process.reap();
  EXPECT_TRUE(exit);
  return exit.value_or(ProgramExit{});
}

std::unique_ptr<OsProcess> start(std::vector<std::string> argv) {
  auto started = OsProcess::start({.argv = std::move(argv), .environment = {}, .folder = ""});
  EXPECT_TRUE(started) << started.error().message;
  return std::move(*started);
}

TEST(OsProcess, RunsWithItsWordsAndTellsItsEnd) {
  const auto process = start({"sh", "-c", "echo out \"$1\"; echo err >&2; exit 7", "sh", "a  b"});
  EXPECT_EQ(read_all(process->take_out()), "out a  b\n");
  EXPECT_EQ(read_all(process->take_err()), "err\n");
  const ProgramExit exit = wait_for(*process);
  EXPECT_FALSE(exit.signalled);
  EXPECT_EQ(exit.code, 7);
  process->kill();  // nobody is there any more, and nobody else is hit
  EXPECT_EQ(process->reap()->code, 7);
}

TEST(OsProcess, KillsTheWholeGroup) {
  const auto process = start({"sh", "-c", "sleep 1000 & echo $!; wait"});
  const int out = process->take_out();
  char piece[32] = {};
  ASSERT_GT(::read(out, piece, sizeof piece - 1), 0);
  const int child = std::stoi(piece);
  EXPECT_EQ(::kill(child, 0), 0);
  process->kill();
  EXPECT_EQ(wait_for(*process).code, SIGKILL);
  EXPECT_EQ(read_all(out), "");  // ends only when the child, which has it too, is gone
}

TEST(OsProcess, HandsOnNoDescriptorOfOurs) {
  const int leak = ::dup(STDOUT_FILENO);  // without close-on-exec
  const auto process = start({"sh", "-c", "ls /proc/self/fd | wc -l"});
  EXPECT_LE(std::stoi(read_all(process->take_out())), 4);  // ls opens the folder
  wait_for(*process);
  ::close(leak);
}

TEST(OsProcess, SaysWhatCannotBeStarted) {
  const auto none = OsProcess::start({.argv = {"/none/x"}, .environment = {}, .folder = ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_FALSE(OsProcess::start({}));
  const auto nowhere =
      OsProcess::start({.argv = {"true"}, .environment = {}, .folder = "/none/folder"});
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().message.find("start true in /none/folder"), std::string::npos);
}

}  // namespace
}  // namespace binnacle
