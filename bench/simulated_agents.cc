// What many agents send, from one process: `simulated_agents URL COUNT SERIES SECONDS` keeps the
// links of COUNT nodes, which beat four times a second, and writes SERIES samples of each every 10
// s by remote write, the nodes one after the other. Prints how many links stood and what was sent.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/mutex.h"
#include "collect/ship/write_encoder.h"
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

constexpr int64_t kWriteEveryMs = 10'000;

// A node's series differ from another's by its name alone.
std::vector<std::string> series_fields(size_t node, size_t count) {
  std::vector<std::string> fields;
  const std::string name = fmt::format("node-{}", node);
  for (size_t i = 0; i < count; ++i) {
    fields.push_back(collect::ship::label_fields(
        model::Labels{{"__name__", fmt::format("node_metric_{}_total", i / 8)},
                      {"cluster", "bench"},
                      {"cpu", std::to_string(i % 8)},
                      {"instance", name},
                      {"job", "node"},
                      {"node", name},
                      {"role", "worker"}}));
  }
  return fields;
}

struct Written {
  std::atomic<size_t> samples = 0;
  std::atomic<size_t> failed = 0;
};

boost::asio::awaitable<void> write_one(net::Client& client, std::string url, std::string body,
                                       size_t samples, Written& written) {
  net::ClientRequest request;
  request.method = net::Method::kPost;
  request.url = url + "/api/v1/write";
  request.headers.add("Content-Type", "application/x-protobuf");
  request.headers.add("Content-Encoding", "snappy");
  request.headers.add("X-Prometheus-Remote-Write-Version", "0.1.0");
  request.body = std::move(body);
  const auto answer = co_await client.send(std::move(request));
  (answer && answer->status / 100 == 2 ? written.samples : written.failed) += samples;
}

// Each node's turn comes every kWriteEveryMs.
boost::asio::awaitable<void> write_all(net::Client& client, std::string url, size_t nodes,
                                       size_t series, const Clock& clock, Written& written,
                                       const std::atomic<bool>& stop) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer(executor);
  collect::ship::WriteEncoder encoder;
  std::vector<collect::ship::QueuedSample> samples(series);
  for (size_t turn = 0; !stop; ++turn) {
    const auto fields = series_fields(turn % nodes, series);
    const int64_t now_ms = clock.wall_ms();
    for (size_t i = 0; i < series; ++i)
      samples[i] = {static_cast<uint32_t>(i), {now_ms, static_cast<double>(turn * (i % 100))}};
    boost::asio::co_spawn(
        executor,
        write_one(client, url, std::string(encoder.encode(samples, fields)), series, written),
        boost::asio::detached);
    timer.expires_after(
        std::chrono::microseconds(kWriteEveryMs * 1000 / static_cast<int64_t>(nodes)));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

double beats_sent(Registry& registry) {
  return registry.counter("binnacle_link_client_beats_total", "Beats that were sent.").value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "simulated_agents URL COUNT SERIES SECONDS\n");
    return 2;
  }
  const size_t count = std::strtoul(argv[2], nullptr, 10);
  const size_t series = std::strtoul(argv[3], nullptr, 10);
  const int64_t seconds = std::strtol(argv[4], nullptr, 10);
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
  Written written;
  std::atomic<bool> stop = false;
  net::Client writer({.max_idle_per_host = count,
                      .max_connections_per_host = count,
                      .proxy_from_environment = false},
                     real_file_system());
  if (series > 0) {
    boost::asio::co_spawn(io.context(0),
                          write_all(writer, argv[1], count, series, clock, written, stop),
                          boost::asio::detached);
  }
  wait_seconds(seconds);
  stop = true;
  std::printf("%.0f beats and %.0f samples a second, %zu samples failed, standing %zu\n",
              (beats_sent(registry) - before) / static_cast<double>(seconds),
              static_cast<double>(written.samples) / static_cast<double>(seconds),
              written.failed.load(), standing.load());
  std::fflush(stdout);
  const bool good = standing == count && written.failed == 0;
  links.clear();
  io.stop();
  return good ? 0 : 1;
}
