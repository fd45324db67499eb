// Routes with a queue of their own, peers that leave while a handler runs, and answers in pieces.
#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "net/coding.h"
#include "net/server_test_client.h"

namespace binnacle::net {
namespace {

// Runs each request on a thread of its own, or refuses it.
class TestQueue final : public RequestQueue {
 public:
  ~TestQueue() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void post(const Request&, std::function<void(const Status&)> work) override {
    if (refuses_) return work(fail(Code::kUnavailable, "not now"));
    threads_.emplace_back([work = std::move(work)] { work({}); });
  }
  Response refusal(const Error& why) const override { return Response::text(503, why.message); }

  std::atomic<bool> refuses_ = false;

 private:
  std::vector<std::thread> threads_;
};

Route queued_route(Method method, RequestQueue& queue, Handler handler) {
  Route route = test_route(method, "/queued", std::move(handler));
  route.queue = &queue;
  return route;
}

TEST(ServerQueue, HandlersRunThereAndTheConnectionStays) {
  TestQueue queue;
  TestServer server({queued_route(Method::kPost, queue,
                                  [](const Request& request) {
                                    EXPECT_FALSE(request.cancelled->load());
                                    return Response::text(200, std::string(request.body));
                                  }),
                     hello_route()});
  RawClient client(server.address());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /queued HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody");
    EXPECT_EQ(client.read_response().body, "body");
    EXPECT_EQ(client.get("/hello").body, "hello");
  }
  queue.refuses_ = true;
  client.send("POST /queued HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n");
  const RawResponse refused = client.read_response();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, "not now");
}

TEST(ServerQueue, HandlerLearnsThatThePeerLeft) {
  TestQueue queue;
  std::binary_semaphore begun(0);
  std::binary_semaphore ended(0);
  TestServer server({queued_route(Method::kGet, queue, [&](const Request& request) {
    begun.release();
    EXPECT_TRUE(eventually([&] { return request.cancelled->load(); }));
    ended.release();
    return Response::text(200, "");
  })});
  {
    RawClient client(server.address());
    client.send("GET /queued HTTP/1.1\r\nHost: t\r\n\r\n");
    begun.acquire();
  }
  EXPECT_TRUE(ended.try_acquire_for(std::chrono::seconds(10)));
}

TEST(ServerQueue, RequestsSentMeanwhileAreNoLeave) {
  TestQueue queue;
  std::binary_semaphore go_on(0);
  TestServer server({queued_route(Method::kGet, queue,
                                  [&](const Request& request) {
                                    go_on.acquire();
                                    EXPECT_FALSE(request.cancelled->load());
                                    return Response::text(200, "first");
                                  }),
                     hello_route()});
  RawClient client(server.address());
  client.send("GET /queued HTTP/1.1\r\nHost: t\r\n\r\n");
  client.send("GET /hello HTTP/1.1\r\nHost: t\r\n\r\n");
  go_on.release();
  EXPECT_EQ(client.read_response().body, "first");
  EXPECT_EQ(client.read_response().body, "hello");
}

// "0 1 2 ... 9", then the end, or an error.
Route pieces_route(bool breaks) {
  return test_route(
      Method::kGet, "/pieces",
      [breaks](const Request&) {
        Response response = Response::json(200, "begin ");
        response.next_piece = [i = 0, breaks](std::string& piece) mutable -> Result<bool> {
          if (i == 10 && breaks) return fail(Code::kDataLoss, "no");
          piece = std::to_string(i) + " ";
          return i++ < 10;
        };
        return response;
      },
      RunOn::kPool);
}

TEST(ServerQueue, AnswersInPieces) {
  TestServer server({pieces_route(false), hello_route()});
  const std::string want = "begin 0 1 2 3 4 5 6 7 8 9 ";
  RawClient client(server.address());
  const RawResponse plain = client.get("/pieces");
  EXPECT_EQ(plain.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(plain.body, want);
  const RawResponse coded = client.get("/pieces", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(decode(Coding::kGzip, coded.body, 1000).value(), want);
  client.send("HEAD /pieces HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_response(true).status, 200);
  EXPECT_EQ(client.get("/hello").body, "hello");
}

TEST(ServerQueue, BrokenPieceCutsTheAnswer) {
  TestServer server({pieces_route(true)});
  RawClient client(server.address());
  client.send("GET /pieces HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().ends_with("9 \r\n"));
}

}  // namespace
}  // namespace binnacle::net
