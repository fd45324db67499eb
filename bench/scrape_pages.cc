// Serves prepared pages for bench/collect.sh: scrape_pages SERIES TARGETS plain|gzip. Target i is
// /metrics/i; /served tells how many samples were handed out so far. Each request gets the next of
// a few prepared steps. Prints its address and serves until its standard input ends.
#include <httplib.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "net/coding.h"
#include "scrape_page.h"

using binnacle::bench::ClusterData;

namespace {

constexpr size_t kSteps = 2;

struct TargetPages {
  std::vector<std::string> steps;
  std::atomic<size_t> next{0};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const size_t series = std::stoul(argv[1]);
  const size_t targets = std::stoul(argv[2]);
  const bool gzip = std::string(argv[3]) == "gzip";
  const size_t of_target = series / targets;
  std::vector<TargetPages> pages(targets);
  ClusterData data(series / ClusterData::kSeriesPerGpu, 1);
  for (size_t step = 0; step < kSteps; ++step) {
    for (size_t i = 0; i < targets; ++i) {
      std::string page = binnacle::bench::scrape_page(data, i * of_target, of_target);
      if (gzip) page = binnacle::net::encode(binnacle::net::Coding::kGzip, page);
      pages[i].steps.push_back(std::move(page));
    }
    data.step();
  }
  std::atomic<size_t> served{0};
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(100'000'000);
  server.set_keep_alive_timeout(60);
  server.set_tcp_nodelay(true);
  server.Get(R"(/metrics/(\d+))", [&](const httplib::Request& request,
                                      httplib::Response& response) {
    TargetPages& target = pages.at(std::stoul(request.matches[1]));
    if (gzip) response.set_header("Content-Encoding", "gzip");
    const std::string& page = target.steps[target.next++ % kSteps];
    response.set_content_provider(page.size(), "text/plain; version=0.0.4",
                                  [&page](size_t offset, size_t length, httplib::DataSink& sink) {
                                    return sink.write(page.data() + offset, length);
                                  });
    served += of_target;
  });
  server.Get("/served", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content(std::to_string(served.load()) + "\n", "text/plain");
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
