// Many agents' links from one process: `link_agents URL COUNT SECONDS` connects COUNT nodes, beats
// for SECONDS and prints how many stood and how many beats were sent meanwhile.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/mutex.h"
#include "link/link_client.h"

namespace {

using namespace binnacle;

void wait_seconds(int64_t seconds) {
  Mutex mu;
  CondVar never;
  const SystemClock clock;
  const int64_t end_ms = clock.monotonic_ms() + seconds * 1000;
  const MutexLock lock(mu);
  while (clock.monotonic_ms() < end_ms) never.wait_for_ms(mu, end_ms - clock.monotonic_ms());
}

double beats_sent(Registry& registry) {
  return registry.counter("binnacle_link_client_beats_total", "Beats that were sent.").value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "link_agents URL COUNT SECONDS\n");
    return 2;
  }
  const size_t count = std::strtoul(argv[2], nullptr, 10);
  const int64_t seconds = std::strtol(argv[3], nullptr, 10);
  SystemClock clock;
  SystemRandom random;
  Registry registry;
  net::IoThreads io(1);
  net::Client client({.max_connections_per_host = count + 1, .proxy_from_environment = false},
                     real_file_system());
  io.start();
  std::atomic<size_t> standing = 0;
  std::vector<std::unique_ptr<link::LinkClient>> links;
  for (size_t i = 0; i < count; ++i) {
    link::LinkClientOptions options;
    options.server_url = argv[1];
    options.hello.node_id = fmt::format("{:032x}", i);
    options.hello.name = fmt::format("node-{}", i);
    options.hello.boot_id = "bench";
    link::LinkClientHooks hooks;
    hooks.accepted = [&standing](const link::HelloReply&) { ++standing; };
    hooks.lost = [&standing](const std::string&) { --standing; };
    links.push_back(std::make_unique<link::LinkClient>(std::move(options), std::move(hooks), client,
                                                       io, clock, random, registry));
    links.back()->start();
  }
  constexpr int64_t kLongestJoinSeconds = 60;
  for (int64_t waited = 0; standing < count && waited < kLongestJoinSeconds; ++waited)
    wait_seconds(1);
  std::printf("standing %zu of %zu\n", standing.load(), count);
  std::fflush(stdout);
  const double before = beats_sent(registry);
  wait_seconds(seconds);
  std::printf("beats a second %.0f, standing %zu\n",
              (beats_sent(registry) - before) / static_cast<double>(seconds), standing.load());
  std::fflush(stdout);
  const bool good = standing == count;
  links.clear();
  io.stop();
  return good ? 0 : 1;
}
