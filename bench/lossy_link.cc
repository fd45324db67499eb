// A bad line between two network namespaces, for kernels without netem: `lossy_link NETNS_A NAME_A
// NETNS_B NAME_B DELAY_MS JITTER_MS LOSS_PERCENT [SEED]` makes a TUN device in each namespace
// (paths as /run/netns/x) and carries packets from one to the other, each DELAY_MS +- JITTER_MS
// later and in order, but for LOSS_PERCENT of them, which are lost; so it is each way. Prints
// "ready" and runs until SIGTERM, then tells what it carried. The devices go with it. Root only.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr size_t kMaxPacket = 65'536;
constexpr size_t kMaxWaiting = 100'000;  // packets of one direction; beyond, they are lost
constexpr int64_t kNsPerMs = 1'000'000;

volatile sig_atomic_t stop = 0;

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000 * kNsPerMs + now.tv_nsec;
}

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "lossy_link: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

int open_tun(const char* netns, const char* name) {
  const int space = open(netns, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) != 0) die(netns);
  close(space);
  const int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tun < 0) die("/dev/net/tun");
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(tun, TUNSETIFF, &request) != 0) die(name);
  return tun;
}

struct Line {
  int64_t delay_ns;
  int64_t jitter_ns;
  double loss;  // 0..1
};

class Direction {
 public:
  Direction(int from, int to, const Line& line, uint64_t seed)
      : from_(from), to_(to), line_(line), random_(seed) {}

  void take() {
    std::vector<char> buffer(kMaxPacket);
    for (;;) {
      const ssize_t size = read(from_, buffer.data(), buffer.size());
      if (size <= 0) return;
      ++came_;
      if (std::uniform_real_distribution<double>()(random_) < line_.loss ||
          waiting_.size() >= kMaxWaiting) {
        ++lost_;
        continue;
      }
      const int64_t late_ns = line_.delay_ns + std::uniform_int_distribution<int64_t>(
                                                   -line_.jitter_ns, line_.jitter_ns)(random_);
      newest_due_ns_ = std::max(newest_due_ns_, now_ns() + std::max<int64_t>(late_ns, 0));
      waiting_.push_back({newest_due_ns_, {buffer.begin(), buffer.begin() + size}});
    }
  }
  void give() {
    while (!waiting_.empty() && waiting_.front().due_ns <= now_ns()) {
      const std::string& bytes = waiting_.front().bytes;
      if (write(to_, bytes.data(), bytes.size()) < 0) ++lost_;  // the device is down
      waiting_.pop_front();
    }
  }
  int64_t due_ns() const { return waiting_.empty() ? INT64_MAX : waiting_.front().due_ns; }
  void tell(const char* name) const {
    std::printf("%s: %zu packets, %zu lost\n", name, came_, lost_);
  }

 private:
  struct Packet {
    int64_t due_ns;
    std::string bytes;
  };
  const int from_;
  const int to_;
  const Line line_;
  std::mt19937_64 random_;
  std::deque<Packet> waiting_;
  int64_t newest_due_ns_ = 0;
  size_t came_ = 0;
  size_t lost_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8 && argc != 9) {
    std::fprintf(
        stderr,
        "lossy_link NETNS_A NAME_A NETNS_B NAME_B DELAY_MS JITTER_MS LOSS_PERCENT [SEED]\n");
    return 2;
  }
  struct sigaction on_stop {};
  on_stop.sa_handler = [](int) { stop = 1; };
  sigaction(SIGTERM, &on_stop, nullptr);
  sigaction(SIGINT, &on_stop, nullptr);
  const Line line{std::strtol(argv[5], nullptr, 10) * kNsPerMs,
                  std::strtol(argv[6], nullptr, 10) * kNsPerMs,
                  std::strtod(argv[7], nullptr) / 100};
  const uint64_t seed = argc == 9 ? std::strtoul(argv[8], nullptr, 10) : 1;
  const int a = open_tun(argv[1], argv[2]);
  const int b = open_tun(argv[3], argv[4]);
  Direction there(a, b, line, seed);
  Direction back(b, a, line, seed + 1);
  std::printf("ready\n");
  std::fflush(stdout);
  while (stop == 0) {
    const int64_t due_ns = std::min(there.due_ns(), back.due_ns());
    const int64_t wait_ns = std::clamp<int64_t>(due_ns - now_ns(), 0, 1'000 * kNsPerMs);
    const timespec wait{wait_ns / (1'000 * kNsPerMs), wait_ns % (1'000 * kNsPerMs)};
    pollfd ready[] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    ppoll(ready, 2, &wait, nullptr);
    there.take();
    back.take();
    there.give();
    back.give();
  }
  there.tell(argv[2]);
  back.tell(argv[4]);
  return 0;
}
