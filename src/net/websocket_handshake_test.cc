#include "net/websocket_handshake.h"

#include <gtest/gtest.h>

#include <vector>

namespace binnacle::net {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3

std::vector<HeaderView> good_headers() {
  return {{"Host", "localhost"},
          {"Upgrade", "WebSocket"},
          {"Connection", "keep-alive, Upgrade"},
          {"Sec-WebSocket-Version", "13"},
          {"Sec-WebSocket-Key", kKey}};
}

Result<WebSocketAnswer> answer(const std::vector<HeaderView>& headers,
                               Method method = Method::kGet) {
  Request request;
  request.method = method;
  request.headers = headers;
  return answer_websocket_upgrade(request);
}

TEST(WebSocketHandshake, AcceptsAsTheRfcShows) {
  const auto answered = answer(good_headers());
  ASSERT_TRUE(answered) << answered.error().message;
  EXPECT_NE(answered->response_head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
  EXPECT_TRUE(answered->response_head.starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(answered->response_head.ends_with("\r\n\r\n"));
  EXPECT_FALSE(answered->deflate);
}

TEST(WebSocketHandshake, RefusesWhatIsNotAnUpgrade) {
  for (size_t missing = 1; missing < 5; ++missing) {
    auto headers = good_headers();
    const std::string name(headers[missing].name);
    headers.erase(headers.begin() + static_cast<ptrdiff_t>(missing));
    EXPECT_FALSE(answer(headers)) << "without " << name;
  }
  EXPECT_EQ(answer(good_headers(), Method::kPost).error().code, Code::kInvalidArgument);
  auto old_version = good_headers();
  old_version[3].value = "8";
  EXPECT_EQ(answer(old_version).error().code, Code::kFailedPrecondition);
  auto short_key = good_headers();
  short_key[4].value = "c2hvcnQ=";
  EXPECT_EQ(answer(short_key).error().code, Code::kInvalidArgument);
}

TEST(WebSocketHandshake, TakesTheFirstUsableDeflateOffer) {
  struct Case {
    const char* offer;
    const char* agreed;  // null: none
  };
  const Case cases[] = {
      {"permessage-deflate", "permessage-deflate\r\n"},
      {"permessage-deflate; client_max_window_bits", "permessage-deflate\r\n"},
      {"permessage-deflate; client_max_window_bits=10", "permessage-deflate\r\n"},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"},
      {"permessage-deflate; server_max_window_bits=\"10\"",
       "permessage-deflate; server_max_window_bits=10\r\n"},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate",
       "permessage-deflate\r\n"},
      {"permessage-deflate; server_max_window_bits=16", nullptr},
      {"permessage-deflate; unknown=1", nullptr},
      {"x-webkit-deflate-frame", nullptr},
      {"", nullptr},
  };
  for (const Case& one : cases) {
    auto headers = good_headers();
    headers.push_back({"Sec-WebSocket-Extensions", one.offer});
    const auto answered = answer(headers);
    ASSERT_TRUE(answered) << one.offer;
    const std::string line = "Sec-WebSocket-Extensions: ";
    EXPECT_EQ(answered->deflate.has_value(), one.agreed != nullptr) << one.offer;
    if (one.agreed != nullptr) {
      EXPECT_NE(answered->response_head.find(line + one.agreed), std::string::npos)
          << answered->response_head;
    } else {
      EXPECT_EQ(answered->response_head.find(line), std::string::npos) << one.offer;
    }
  }
}

Headers server_answer() {
  Headers headers;
  headers.add("upgrade", "websocket");
  headers.add("connection", "Upgrade");
  headers.add("sec-websocket-accept", websocket_accept_value(kKey));
  return headers;
}

TEST(WebSocketHandshake, ClientChecksTheAnswer) {
  EXPECT_TRUE(check_websocket_answer(101, server_answer(), kKey));
  EXPECT_FALSE(check_websocket_answer(200, server_answer(), kKey));
  EXPECT_FALSE(check_websocket_answer(101, server_answer(), "another key"));
  for (const char* name : {"Upgrade", "Connection", "Sec-WebSocket-Accept"}) {
    Headers headers = server_answer();
    headers.remove(name);
    EXPECT_FALSE(check_websocket_answer(101, headers, kKey)) << name;
  }
}

TEST(WebSocketHandshake, ClientTakesOnlyExtensionsThatItCanSpeak) {
  Headers headers = server_answer();
  headers.set("Sec-WebSocket-Extensions",
              "permessage-deflate; client_no_context_takeover; client_max_window_bits=9");
  const auto agreed = check_websocket_answer(101, headers, kKey);
  ASSERT_TRUE(agreed);
  ASSERT_TRUE(*agreed);
  EXPECT_FALSE((*agreed)->own_context_takeover);
  EXPECT_TRUE((*agreed)->peer_context_takeover);
  EXPECT_EQ((*agreed)->own_window_bits, 9);
  for (const char* bad : {"permessage-deflate; client_max_window_bits",
                          "permessage-deflate; client_max_window_bits=8", "permessage-deflate, x",
                          "permessage-bzip2"}) {
    headers.set("Sec-WebSocket-Extensions", bad);
    EXPECT_FALSE(check_websocket_answer(101, headers, kKey)) << bad;
  }
}

}  // namespace
}  // namespace binnacle::net
