// Runs every check of a file once, one after the other, and prints a line of JSON for each.
// usage: check_once FILE
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <optional>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "watch/health/check_factory.h"

namespace {

using namespace binnacle;
using namespace binnacle::watch::health;

void print(const ConfiguredCheck& one, const Reading& reading) {
  nlohmann::json line{{"name", one.spec.name},
                      {"health", health_name(reading.health)},
                      {"message", reading.message},
                      {"took_ms", reading.took_ms}};
  if (reading.value) line["value"] = *reading.value;
  std::printf("%s\n", line.dump().c_str());
}

Reading run(boost::asio::io_context& io, const Clock& clock, const ConfiguredCheck& one) {
  std::optional<Reading> reading;
  const int64_t began_ms = clock.monotonic_ms();
  boost::asio::co_spawn(io, one.check->run(std::chrono::milliseconds(one.spec.timeout_ms)),
                        [&reading](const std::exception_ptr&, Reading seen) { reading = seen; });
  io.restart();
  while (!reading) io.run_one();
  reading->took_ms = clock.monotonic_ms() - began_ms;
  return *reading;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const SystemClock clock;
  net::IoThreads io_threads(1);
  boost::asio::io_context io;
  ThreadPool pool("checks", 2, 64);
  const CheckTools tools{io_threads, real_file_system(), clock, pool, nullptr};
  const auto text = real_file_system().read_file(argv[1]);
  auto checks = text ? read_checks(argv[1], *text, tools, true) : fail(text.error());
  if (!checks) {
    std::fprintf(stderr, "%s\n", checks.error().message.c_str());
    return 2;
  }
  for (const ConfiguredCheck& one : *checks) print(one, run(io, clock, one));
  checks->clear();
  pool.stop();
  return 0;
}
