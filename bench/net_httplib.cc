// cpp-httplib with one route, for bench/net.sh. Prints its address and serves until its standard
// input ends.
#include <httplib.h>

#include <cstdio>
#include <thread>

int main() {
  httplib::Server server;
  // Its model is one thread a connection; as many threads as bench/net.sh opens connections.
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(100'000'000);
  server.set_tcp_nodelay(true);
  server.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", "text/plain; charset=utf-8");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread loop([&] { server.listen_after_bind(); });
  std::printf("127.0.0.1:%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.stop();
  loop.join();
}
