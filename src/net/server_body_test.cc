// Request bodies of every framing and coding.
#include "net/coding.h"
#include "net/server_test_client.h"
#include "net/stream_handler.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

const std::string kPost = "POST /echo HTTP/1.1\r\nHost: t\r\n";

std::string chunked(const std::vector<std::string>& chunks) {
  std::string out;
  for (const std::string& chunk : chunks) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    out += size + chunk + "\r\n";
  }
  return out + "0\r\n\r\n";
}

TEST(ServerBody, ContentLengthInOnePieceAndInMany) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send(kPost + "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.read_response().body, "hello");
  const std::string large(900'000, 'b');
  client.send(kPost + "Content-Length: 900000\r\n\r\n" + large.substr(0, 1));
  client.send(large.substr(1));
  EXPECT_TRUE(client.read_response().body == large);
}

TEST(ServerBody, EmptyBodies) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send(kPost + "\r\n" + kPost + "Content-Length: 0\r\n\r\n" + kPost +
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    const RawResponse response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "");
  }
}

TEST(ServerBody, ChunkedWithExtensionsAndTrailer) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send(kPost +
              "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n4;c=\"d "
              "e\"\r\ndefg\r\n0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "abcdefg");
  client.send(kPost + "Transfer-Encoding: chunked\r\n\r\n" +
              chunked({"x", std::string(200'000, 'y')}));
  EXPECT_EQ(client.read_response().body.size(), 200'001u);
}

TEST(ServerBody, ARouteMayTakeTheBodyAsItWasSent) {
  Route route = echo_route();
  route.takes_coded_body = true;
  TestServer server({std::move(route)});
  RawClient client(server.address());
  client.send(kPost + "Content-Encoding: snappy\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.read_response().body, "hello");
  TestServer other({echo_route()});
  RawClient refused(other.address());
  refused.send(kPost + "Content-Encoding: snappy\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(refused.read_response().status, 415);
}

TEST(ServerBody, ChunkedByteByByte) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  const std::string request = kPost + "Transfer-Encoding: chunked\r\n\r\n" +
                              chunked({"abc", "de"}) + "GET /none HTTP/1.1\r\nHost: t\r\n\r\n";
  for (const char c : request) client.send({&c, 1});
  EXPECT_EQ(client.read_response().body, "abcde");
  EXPECT_EQ(client.read_response().status, 404);
}

TEST(ServerBody, RequestBehindABodyIsNotPartOfIt) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    const std::string body(static_cast<size_t>(i) * 97, static_cast<char>('a' + i % 26));
    requests += i % 2 == 0
                    ? kPost + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body
                    : kPost + "Transfer-Encoding: chunked\r\n\r\n" + chunked({body});
  }
  client.send(requests);
  for (size_t i = 0; i < 50; ++i) {
    const std::string body = client.read_response().body;
    EXPECT_EQ(body, std::string(i * 97, static_cast<char>('a' + i % 26)));
  }
}

TEST(ServerBody, HeadersHoldWhileALargeBodyComes) {
  TestServer server({test_route(Method::kPost, "/h", [](const Request& request) {
    return Response::text(200, std::string(request.header("X-A")) + std::string(request.query) +
                                   std::to_string(request.body.size()));
  })});
  RawClient client(server.address());
  client.send("POST /h?q HTTP/1.1\r\nHost: t\r\nX-A: kept\r\nContent-Length: 500000\r\n\r\n" +
              std::string(500'000, 'a'));
  EXPECT_EQ(client.read_response().body, "keptq500000");
}

TEST(ServerBody, ContinueIsSentWhenTheBodyIsWaitedFor) {
  TestServer server({echo_route()});
  RawClient client(server.address());
  client.send(kPost + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read_response().body, "abc");
  client.send(kPost + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");  // does not wait
  EXPECT_EQ(client.read_response().body, "abc");
}

class ServerCodedBody : public testing::TestWithParam<Coding> {};

TEST_P(ServerCodedBody, IsDecodedWholeAndHeldToTheLimit) {
  TestServer server({echo_route()});
  const std::string name(coding_name(GetParam()));
  const auto post = [&](const std::string& text, RawClient& client) {
    const std::string coded = encode(GetParam(), text);
    client.send(kPost + "Content-Encoding: " + name +
                "\r\nContent-Length: " + std::to_string(coded.size()) + "\r\n\r\n" + coded);
    return client.read_response();
  };
  RawClient client(server.address());
  EXPECT_EQ(post("hello", client).body, "hello");
  EXPECT_EQ(post(std::string(700'000, 'x'), client).body.size(), 700'000u);
  EXPECT_EQ(post("", client).body, "");
  EXPECT_EQ(post(std::string((1u << 20) + 1, 'x'), client).status, 413);  // small as sent
  RawClient broken(server.address());
  broken.send(kPost + "Content-Encoding: " + name + "\r\nContent-Length: 7\r\n\r\ngarbage");
  EXPECT_EQ(broken.read_response().status, 400);
  RawClient cut(server.address());
  const std::string whole = encode(GetParam(), std::string(1000, 'x'));
  cut.send(kPost + "Content-Encoding: " + name + "\r\nContent-Length: " +
           std::to_string(whole.size() - 4) + "\r\n\r\n" + whole.substr(0, whole.size() - 4));
  EXPECT_EQ(cut.read_response().status, 400);
}

INSTANTIATE_TEST_SUITE_P(Codings, ServerCodedBody, testing::Values(Coding::kGzip, Coding::kZstd),
                         [](const auto& info) { return std::string(coding_name(info.param)); });

TEST(ServerBody, FormFieldsJoinTheQuery) {
  TestServer server({test_route(Method::kPost, "/form", [](const Request& request) {
    const Params params = request.params();
    std::string text;
    for (const auto& [name, value] : params.fields()) text += name + "=" + value + ";";
    return Response::text(200, text);
  })});
  RawClient client(server.address());
  client.send(
      "POST /form?a=1 HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded; "
      "charset=utf-8\r\n"
      "Content-Length: 9\r\n\r\nb=%20&c=+");
  EXPECT_EQ(client.read_response().body, "a=1;b= ;c= ;");
}

TEST(ServerBody, StreamedBodyIsReadPieceByPiece) {
  TestServer server({test_stream(
      Method::kPost, "/sum",
      [](const Request&, BodyReader& body, ResponseWriter& writer) -> boost::asio::awaitable<void> {
        size_t bytes = 0, pieces = 0;
        while (true) {
          const auto piece = co_await body.read();
          if (!piece) co_return;
          if (piece->empty()) break;
          bytes += piece->size();
          ++pieces;
        }
        co_await writer.send(
            Response::text(200, std::to_string(bytes) + (pieces > 3 ? " in pieces" : "")));
      },
      {.max_body_bytes = 10'000'000})});
  RawClient client(server.address());
  const std::string head = "POST /sum HTTP/1.1\r\nHost: t\r\n";
  client.send(head + "Content-Length: 5000000\r\n\r\n" + std::string(5'000'000, 'a'));
  EXPECT_EQ(client.read_response().body, "5000000 in pieces");
  const std::string coded = encode(Coding::kGzip, std::string(5'000'000, 'a'));
  client.send(head + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(coded.size()) +
              "\r\n\r\n" + coded);
  EXPECT_EQ(client.read_response().body, "5000000 in pieces");
  client.try_send(head + "Transfer-Encoding: chunked\r\n\r\n" +
                  chunked({std::string(10'000'001, 'a')}));
  EXPECT_EQ(client.read_response().status, 413);
}

TEST(ServerBody, UnreadStreamedBodyIsSkippedWhenSmall) {
  TestServer server({test_stream(
      Method::kPost, "/x",
      [](const Request&, BodyReader&, ResponseWriter& writer) -> boost::asio::awaitable<void> {
        co_await writer.send(Response::text(200, "did not look"));
      })});
  RawClient client(server.address());
  for (int i = 0; i < 2; ++i) {
    client.send("POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nabcd");
    EXPECT_EQ(client.read_response().body, "did not look");
  }
}

}  // namespace
}  // namespace binnacle::net
