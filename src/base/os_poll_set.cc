#include "base/os_poll_set.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace binnacle {
namespace {

constexpr uint32_t kReads = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr size_t kMostAtOnce = 128;

}  // namespace

OsPollSet::OsPollSet() : poll_(::epoll_create1(EPOLL_CLOEXEC)) {}

OsPollSet::~OsPollSet() {
  if (poll_ >= 0) ::close(poll_);
}

bool OsPollSet::add(int fd, uint64_t number) {
  epoll_event event{};
  event.events = kReads;
  event.data.u64 = number;
  return ::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void OsPollSet::remove(int fd) {
  static_cast<void>(::epoll_ctl(poll_, EPOLL_CTL_DEL, fd, nullptr));
}

void OsPollSet::watch_writes(int fd, uint64_t number, bool wanted) {
  epoll_event event{};
  event.events = kReads | (wanted ? uint32_t{EPOLLOUT} : 0);
  event.data.u64 = number;
  static_cast<void>(::epoll_ctl(poll_, EPOLL_CTL_MOD, fd, &event));
}

size_t OsPollSet::take(std::span<Change> changes) {
  std::array<epoll_event, kMostAtOnce> events;
  const int room = static_cast<int>(std::min(changes.size(), events.size()));
  const int count = ::epoll_wait(poll_, events.data(), room, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const bool ended = (event.events & kEnds) != 0;
    changes[static_cast<size_t>(i)] = {.number = event.data.u64,
                                       .readable = ended || (event.events & EPOLLIN) != 0,
                                       .writable = ended || (event.events & EPOLLOUT) != 0,
                                       .ended = ended};
  }
  return static_cast<size_t>(std::max(count, 0));
}

}  // namespace binnacle
