#include "net/request_parser.h"

#include <gtest/gtest.h>

namespace binnacle::net {
namespace {

using Step = RequestParser::Step;

constexpr size_t kMax = 4096;

TEST(RequestParser, SplitsTargets) {
  struct Case {
    const char *target, *path, *query;
  };
  for (const Case& c :
       {Case{"/a%20b?x=1?2", "/a%20b", "x=1?2"}, Case{"/", "/", ""}, Case{"/?", "/", ""},
        Case{"http://host:80/p?q", "/p", "q"}, Case{"http://host", "/", ""},
        Case{"http://host?q", "/", "q"}, Case{"*", "*", ""}, Case{"/x://y", "/x://y", ""}}) {
    RequestParser parser;
    Request request;
    size_t used = 0;
    const std::string bytes = "GET " + std::string(c.target) + " HTTP/1.1\r\nHost: t\r\n\r\n";
    ASSERT_EQ(parser.parse_head(bytes, kMax, request, used), Step::kDone) << c.target;
    EXPECT_EQ(request.target, c.target);
    EXPECT_EQ(request.path, c.path) << c.target;
    EXPECT_EQ(request.query, c.query) << c.target;
    EXPECT_EQ(used, bytes.size());
  }
}

TEST(RequestParser, ViewsPointIntoTheBytes) {
  const std::string bytes =
      "\r\n\r\nPUT /x HTTP/1.1\r\nHost: t\r\nA:  spaced out \t\r\nB:\r\n\r\nbody";
  RequestParser parser;
  Request request;
  size_t used = 0;
  ASSERT_EQ(parser.parse_head(bytes, kMax, request, used), Step::kDone);
  EXPECT_EQ(used, bytes.size() - 4);
  EXPECT_EQ(request.method, Method::kPut);
  EXPECT_EQ(request.header("a"), "spaced out");
  EXPECT_EQ(request.header("b"), "");
  for (const HeaderView& field : request.headers)
    EXPECT_TRUE(field.name.data() >= bytes.data() &&
                field.name.data() < bytes.data() + bytes.size());
}

TEST(RequestParser, HeadMayComeInAnyPieces) {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n\r\n";
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    RequestParser parser;
    Request request;
    size_t used = 0;
    EXPECT_EQ(parser.parse_head(std::string_view(bytes).substr(0, cut), kMax, request, used),
              Step::kNeedMore)
        << cut;
    EXPECT_EQ(parser.parse_head(bytes, kMax, request, used), Step::kDone) << cut;
    EXPECT_EQ(request.header("A"), "b");
  }
}

TEST(RequestParser, TellsTheFraming) {
  const auto framing = [](const std::string& head) {
    RequestParser parser;
    Request request;
    size_t used = 0;
    EXPECT_EQ(parser.parse_head(head, kMax, request, used), Step::kDone) << parser.failure().reason;
    return parser.framing();
  };
  EXPECT_TRUE(framing("GET / HTTP/1.1\r\nHost: t\r\n\r\n").keep_alive);
  EXPECT_FALSE(framing("GET / HTTP/1.1\r\nHost: t\r\nConnection: x, Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(framing("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(framing("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  const Framing sized =
      framing("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_TRUE(sized.has_body);
  EXPECT_EQ(sized.content_length, 12u);
  EXPECT_TRUE(sized.expects_continue);
  const Framing chunked =
      framing("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: Chunked\r\n\r\n");
  EXPECT_TRUE(chunked.has_body);
  EXPECT_EQ(chunked.content_length, std::nullopt);
}

TEST(RequestParser, BodyEndsWhereItEnds) {
  RequestParser parser;
  Request request;
  size_t used = 0;
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string rest = "2\r\nab\r\n1;x\r\nc\r\n0\r\nT: v\r\n\r\nGET";
  for (size_t step = 1; step <= rest.size(); ++step) {
    parser.reset();
    ASSERT_EQ(parser.parse_head(head, kMax, request, used), Step::kDone);
    std::string body, window;
    size_t given = 0;
    while (!parser.body_done()) {
      window += rest.substr(given, step);
      given += step;
      std::string_view piece;
      do {
        ASSERT_NE(parser.parse_body(window, piece, used), Step::kFailed);
        body += piece;
        window.erase(0, used);
      } while (!piece.empty());
    }
    EXPECT_EQ(body, "abc");
    EXPECT_TRUE(std::string_view("GET").starts_with(window)) << window;
  }
}

}  // namespace
}  // namespace binnacle::net
