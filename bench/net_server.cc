// Our HTTP server with one route and one I/O thread, for bench/net.sh. Prints its address and
// serves until its standard input ends.
#include <chrono>
#include <cstdio>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/thread_pool.h"
#include "net/io_threads.h"
#include "net/router.h"
#include "net/server.h"

int main() {
  using namespace binnacle;
  SystemClock clock;
  Registry registry;
  ThreadPool pool("bench", 1, 16);
  net::IoThreads io(1);
  net::Router router;
  net::Route route;
  route.pattern = "/";
  route.role = Role::kPublic;
  route.run_on = net::RunOn::kIoThread;
  route.handler = [](const net::Request&) { return net::Response::text(200, "ok\n"); };
  if (auto added = router.add(std::move(route)); !added) return 1;
  net::Server server(io, router, nullptr, pool, registry, clock, {});
  if (auto bound = server.listen({.address = "127.0.0.1:0"}); !bound) {
    std::fprintf(stderr, "%s\n", bound.error().message.c_str());
    return 1;
  }
  server.start();
  io.start();
  std::printf("%s\n", server.addresses().front().c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.stop(std::chrono::milliseconds(0));
  io.stop();
}
