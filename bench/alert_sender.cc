// Sends alerts as Prometheus does, POST /api/v2/alerts, over several kept connections, each of
// which waits for the answer before it sends again. All alerts are new in the first round and
// renewed in the next ones. Bodies are made before the clock starts. Prints one `key value` line a
// figure, for bench/alerts.sh.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "post_connection.h"

namespace binnacle::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  size_t alerts = 20'000;  // different ones
  size_t batch = 64;       // in a request
  size_t connections = 8;
  double seconds = 10;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const double value = std::strtod(argv[i + 1], nullptr);
    if (name == "--port") {
      options.port = static_cast<int>(value);
    } else if (name == "--alerts") {
      options.alerts = static_cast<size_t>(value);
    } else if (name == "--batch") {
      options.batch = static_cast<size_t>(value);
    } else if (name == "--connections") {
      options.connections = static_cast<size_t>(value);
    } else if (name == "--seconds") {
      options.seconds = value;
    } else {
      die("unknown option " + std::string(name));
    }
  }
  if (options.port == 0 || options.batch == 0 || options.connections == 0 ||
      options.alerts < options.batch * options.connections)
    die("--port PORT, and at least one batch for each connection");
  return options;
}

std::string time_text(std::time_t at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// About what a rule of a GPU cluster makes, in 640 bytes.
std::string alert_json(size_t number, std::time_t now) {
  return fmt::format(
      R"({{"labels":{{"alertname":"GpuTooHot","cluster":"prod-us-east-1","node":"gpu-node-{:04}",)"
      R"("gpu":"{}","instance":"10.0.{}.{}:9400","job":"dcgm-exporter","severity":"critical",)"
      R"("team":"inference","number":"{}"}},"annotations":{{"summary":"GPU {} of gpu-node-{:04} has )"
      R"(91 degrees","description":"It has been above 90 degrees for more than five minutes and is )"
      R"(slowed down by its driver. Look at the fans and at the load of its neighbours.",)"
      R"("runbook_url":"https://runbooks.example.org/gpu-too-hot"}},"startsAt":"{}","endsAt":"{}",)"
      R"("generatorURL":"http://prometheus-0.example.org:9090/graph?g0.expr=DCGM_FI_DEV_GPU_TEMP)"
      R"(+%3E+90&g0.tab=1"}})",
      number / 8, number % 8, number / 8 / 250, number / 8 % 250, number, number % 8, number / 8,
      time_text(now - 300), time_text(now + 240));
}

std::vector<std::string> bodies(const Options& options, size_t connection) {
  const std::time_t now = std::time(nullptr);
  const size_t each = options.alerts / options.connections;
  std::vector<std::string> all;
  for (size_t first = 0; first + options.batch <= each; first += options.batch) {
    std::string body = "[";
    for (size_t i = 0; i < options.batch; ++i) {
      if (i > 0) body += ',';
      body += alert_json(connection * each + first + i, now);
    }
    all.push_back(body + "]");
  }
  return all;
}

struct Sums {
  std::vector<double> milliseconds;  // until each answer
  size_t failures = 0;
};

void send(const Options& options, const std::vector<std::string>& all, SteadyClock::time_point end,
          Sums& sums) {
  PostConnection connection({.port = options.port,
                             .path = "/api/v2/alerts",
                             .headers = "Content-Type: application/json\r\n"});
  for (size_t i = 0; SteadyClock::now() < end; ++i) {
    const auto began = SteadyClock::now();
    const int status = connection.post(all[i % all.size()]);
    sums.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(SteadyClock::now() - began).count());
    if (status == 200) continue;
    if (sums.failures++ == 0)
      std::fprintf(stderr, "first failure: %d %.300s\n", status, connection.answer().c_str());
  }
}

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[std::min(static_cast<size_t>(q * static_cast<double>(sorted.size())),
                         sorted.size() - 1)];
}

int run(const Options& options) {
  std::vector<std::vector<std::string>> all;
  for (size_t i = 0; i < options.connections; ++i) all.push_back(bodies(options, i));
  std::vector<Sums> sums(options.connections);
  const auto began = SteadyClock::now();
  const auto end = began + std::chrono::duration_cast<SteadyClock::duration>(
                               std::chrono::duration<double>(options.seconds));
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < options.connections; ++i)
      threads.emplace_back([&, i] { send(options, all[i], end, sums[i]); });
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
  std::vector<double> milliseconds;
  size_t failures = 0;
  for (const Sums& one : sums) {
    milliseconds.insert(milliseconds.end(), one.milliseconds.begin(), one.milliseconds.end());
    failures += one.failures;
  }
  if (milliseconds.empty()) die("nothing was sent");
  std::sort(milliseconds.begin(), milliseconds.end());
  const size_t taken = (milliseconds.size() - failures) * options.batch;
  fmt::print("alerts_per_second {:.0f}\nanswer_p50_ms {:.1f}\nanswer_p99_ms {:.1f}\nfailures {}\n",
             static_cast<double>(taken) / seconds, quantile(milliseconds, 0.5),
             quantile(milliseconds, 0.99), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace binnacle::bench

int main(int argc, char** argv) { return binnacle::bench::run(binnacle::bench::parse(argc, argv)); }
