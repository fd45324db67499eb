// The client against peers that behave, and against those that do not.
#include "net/client.h"

#include "net/coding.h"
#include "net/coroutine_test_loop.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class ClientTest : public testing::Test {
 protected:
  ClientOptions options() {
    ClientOptions made;
    made.proxy_from_environment = false;
    return made;
  }
  Client& client() {
    if (!client_) client_ = std::make_unique<Client>(options(), real_file_system());
    return *client_;
  }
  void use(const ClientOptions& changed) {
    client_ = std::make_unique<Client>(changed, real_file_system());
  }

  Result<Response> send(ClientRequest request) {
    return loop_.run(client().send(std::move(request)));
  }
  Result<Response> get(const std::string& url) { return send({.url = url}); }

  // What one GET yields from a peer that reads the request, says `answer` and closes.
  Result<Response> get_from(std::string answer, ClientRequest request = {}) {
    ScriptedPeer peer(loop_, [&answer](TestSocket& socket, int) -> asio::awaitable<void> {
      (void)co_await read_request(socket);
      co_await say(socket, answer);
    });
    request.url = peer.url();
    auto response = send(std::move(request));
    client_.reset();
    return response;
  }
  Code code_from(std::string answer) {
    auto response = get_from(std::move(answer));
    EXPECT_FALSE(response) << response->status << " " << response->body;
    return response ? Code::kInternal : response.error().code;
  }

  TestLoop loop_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, SaysWhatAServerNeedsToKnow) {
  std::string request;
  ScriptedPeer peer(loop_, [&request](TestSocket& socket, int) -> asio::awaitable<void> {
    request = co_await read_request(socket);
    co_await say(socket, kHello);
  });
  ClientRequest post{.method = Method::kPost, .url = peer.url("/push?a=1"), .body = "payload"};
  post.headers.add("X-Trace", "7");
  const auto response = send(std::move(post));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(request,
            "POST /push?a=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(peer.port()) +
                "\r\nUser-Agent: binnacle\r\nAccept-Encoding: gzip, zstd\r\nContent-Length: 7\r\n"
                "X-Trace: 7\r\n\r\npayload");
}

TEST_F(ClientTest, KeepsAConnectionAndUsesItAgain) {
  ScriptedPeer peer(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    while (!(co_await read_request(socket)).empty()) co_await say(socket, kHello);
  });
  for (int i = 0; i < 3; ++i) ASSERT_EQ(get(peer.url())->body, "hello");
  EXPECT_EQ(peer.connections(), 1);
}

TEST_F(ClientTest, DoesNotUseWhatTheServerCloses) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nConnection: close\r\n", "HTTP/1.0 200 OK\r\n"}) {
    ScriptedPeer peer(loop_, [head](TestSocket& socket, int) -> asio::awaitable<void> {
      while (!(co_await read_request(socket)).empty()) {
        co_await say(socket, std::string(head) + "Content-Length: 5\r\n\r\nhello");
      }
    });
    for (int i = 0; i < 2; ++i) ASSERT_EQ(get(peer.url())->body, "hello");
    EXPECT_EQ(peer.connections(), 2) << head;
  }
}

TEST_F(ClientTest, EndsIdleConnections) {
  auto changed = options();
  changed.idle_timeout = milliseconds(1);
  use(changed);
  bool closed = false;
  ScriptedPeer peer(loop_, [&closed](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, kHello);
    closed = co_await client_closes(socket);
  });
  ASSERT_TRUE(get(peer.url()));
  loop_.run_until([&closed] { return closed; });
}

TEST_F(ClientTest, RepeatsOnAFreshConnectionOnlyWhatDoesNoHarmTwice) {
  // The kept connection takes the second request and dies without an answer.
  ScriptedPeer peer(loop_, [](TestSocket& socket, int number) -> asio::awaitable<void> {
    const int answers = number == 0 ? 1 : 100;
    for (int i = 0; i < answers && !(co_await read_request(socket)).empty(); ++i)
      co_await say(socket, kHello);
    if (number == 0) (void)co_await read_request(socket);
  });
  ASSERT_TRUE(get(peer.url()));
  const auto again = get(peer.url());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(peer.connections(), 2);

  client_.reset();
  ScriptedPeer other(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, kHello);
    (void)co_await read_request(socket);
  });
  ASSERT_TRUE(get(other.url()));
  const auto posted = send({.method = Method::kPost, .url = other.url(), .body = "x"});
  ASSERT_FALSE(posted);
  EXPECT_EQ(posted.error().code, Code::kUnavailable);
  EXPECT_EQ(other.connections(), 1);
}

TEST_F(ClientTest, NeverUsesAConnectionThatIsClosedAlready) {
  int closed = 0;
  ScriptedPeer peer(loop_, [&closed](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, kHello);
    socket.close();
    ++closed;
  });
  for (int i = 1; i <= 3; ++i) {
    const auto posted = send({.method = Method::kPost, .url = peer.url(), .body = "x"});
    ASSERT_TRUE(posted) << posted.error().message;
    loop_.run_until([&closed, i] { return closed == i; });
  }
}

TEST_F(ClientTest, LimitsConnectionsInUse) {
  auto changed = options();
  changed.max_connections_per_host = 1;
  use(changed);
  ScriptedPeer peer(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, kHello);
    (void)co_await client_closes(socket);
  });
  auto stream = loop_.run(client().open({.url = peer.url()}));
  ASSERT_TRUE(stream);
  const auto second = get(peer.url());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kResourceExhausted);
  stream->reset();
  EXPECT_TRUE(get(peer.url()));
}

TEST_F(ClientTest, ReadsEveryFraming) {
  EXPECT_EQ(get_from("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n")
                ->body,
            "hello");
  EXPECT_EQ(get_from("HTTP/1.1 200 OK\r\n\r\nuntil the end")->body, "until the end");
  EXPECT_EQ(get_from("HTTP/1.1 204 No Content\r\n\r\n")->status, 204);
  EXPECT_EQ(get_from("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n")->body, "");
  EXPECT_EQ(get_from("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
                     std::string(kHello))
                ->body,
            "hello");
  const auto head =
      get_from("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", {.method = Method::kHead});
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->headers.get("content-length"), "99");
  const auto fields =
      get_from("HTTP/1.1 500 Oops\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->status, 500);
  EXPECT_EQ(fields->headers.all().size(), 3U);
}

TEST_F(ClientTest, RemovesContentCoding) {
  const std::string text(10'000, 'z');
  for (const Coding coding : {Coding::kGzip, Coding::kZstd}) {
    const std::string coded = encode(coding, text);
    const auto response =
        get_from("HTTP/1.1 200 OK\r\nContent-Encoding: " + std::string(coding_name(coding)) +
                 "\r\nContent-Length: " + std::to_string(coded.size()) + "\r\n\r\n" + coded);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, text);
    EXPECT_FALSE(response->headers.has("Content-Encoding"));
    EXPECT_FALSE(response->headers.has("Content-Length"));
  }
  // What we do not speak stays as it is; an empty coded body is an empty body.
  const auto foreign =
      get_from("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n??");
  EXPECT_EQ(foreign->body, "??");
  EXPECT_EQ(foreign->headers.get("Content-Encoding"), "br");
  EXPECT_EQ(
      get_from("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")->body, "");
}

TEST_F(ClientTest, LimitsBodiesAfterDecoding) {
  const std::string bomb = encode(Coding::kGzip, std::string(5'000'000, '0'));
  const std::string coded = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + bomb;
  const auto exploded = get_from(coded, {.max_body_bytes = 1'000'000});
  ASSERT_FALSE(exploded);
  EXPECT_EQ(exploded.error().code, Code::kResourceExhausted);
  const auto large = get_from(std::string(kHello), {.max_body_bytes = 4});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(get_from(std::string(kHello), {.max_body_bytes = 5}));
}

TEST_F(ClientTest, TellsWhatIsCutShort) {
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), Code::kDataLoss);
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            Code::kDataLoss);
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
            Code::kDataLoss);
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nContent-Le"), Code::kDataLoss);
  EXPECT_EQ(code_from(""), Code::kUnavailable);
  const std::string coded = encode(Coding::kGzip, std::string(1000, 'x'));
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" +
                      coded.substr(0, coded.size() - 3)),
            Code::kDataLoss);
}

TEST_F(ClientTest, RefusesWhatIsNotHttp) {
  EXPECT_EQ(code_from("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Code::kUnavailable);
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n"),
            Code::kUnavailable);
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), Code::kUnavailable);
  EXPECT_EQ(code_from("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            Code::kUnavailable);
}

TEST_F(ClientTest, RefusesEndlessHeadersAndEndlessInterimAnswers) {
  const auto endless = [](const std::string& first, const std::string& again) {
    return [first, again](TestSocket& socket, int) -> asio::awaitable<void> {
      (void)co_await read_request(socket);
      co_await say(socket, first);
      while (true) {
        const auto [error, size] =
            co_await asio::async_write(socket, asio::buffer(again), kTestAwait);
        if (error) co_return;
      }
    };
  };
  ScriptedPeer fields(loop_, endless("HTTP/1.1 200 OK\r\n", "X-Again: and again\r\n"));
  ScriptedPeer line(loop_, endless("HTTP/1.1 200 OK\r\nX: ", std::string(1000, 'x')));
  ScriptedPeer chunk(loop_, endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
                                    std::string(1000, 'x')));
  for (ScriptedPeer* peer : {&fields, &line, &chunk}) {
    const auto response = get(peer->url());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::kResourceExhausted) << response.error().message;
  }
  ScriptedPeer interim(loop_, endless("", "HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_EQ(get(interim.url()).error().code, Code::kUnavailable);
}

TEST_F(ClientTest, GivesUpInTime) {
  const auto timed = [this](const ScriptedPeer& peer) {
    return send({.url = peer.url("/slow?key=secret"), .timeout = milliseconds(50)});
  };
  ScriptedPeer silent(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    (void)co_await client_closes(socket);
  });
  const auto unanswered = timed(silent);
  ASSERT_FALSE(unanswered);
  EXPECT_EQ(unanswered.error().code, Code::kDeadlineExceeded);
  EXPECT_NE(unanswered.error().message.find("50 ms"), std::string::npos);
  EXPECT_EQ(unanswered.error().message.find("secret"), std::string::npos)
      << unanswered.error().message;

  // Every single wait is short; the whole is not.
  ScriptedPeer drip(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, "HTTP/1.1 200 OK\r\n\r\n");
    asio::steady_timer pause(socket.get_executor());
    boost::system::error_code error;
    while (!error) {
      pause.expires_after(milliseconds(2));
      co_await pause.async_wait(kTestAwait);
      std::tie(error, std::ignore) =
          co_await socket.async_write_some(asio::buffer("x", 1), kTestAwait);
    }
  });
  const auto dripped = timed(drip);
  ASSERT_FALSE(dripped);
  EXPECT_EQ(dripped.error().code, Code::kDeadlineExceeded) << dripped.error().message;

  // Takes no bytes: the request itself cannot be sent.
  ScriptedPeer full(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    asio::steady_timer never(socket.get_executor(), asio::steady_timer::time_point::max());
    co_await never.async_wait(kTestAwait);
  });
  const auto stuck = send({.method = Method::kPost,
                           .url = full.url(),
                           .body = std::string(32 << 20, 'x'),
                           .timeout = milliseconds(50)});
  ASSERT_FALSE(stuck);
  EXPECT_EQ(stuck.error().code, Code::kDeadlineExceeded) << stuck.error().message;
}

TEST_F(ClientTest, NamesWhatCannotBeReached) {
  uint16_t port = 0;
  {
    const asio::ip::tcp::acceptor gone(loop_.io(), {asio::ip::address_v4::loopback(), 0});
    port = gone.local_endpoint().port();
  }
  const auto refused = get("http://127.0.0.1:" + std::to_string(port) + "/x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find("Connection refused"), std::string::npos)
      << refused.error().message;
  const auto unknown =
      send({.url = "http://no-such-host.invalid/", .timeout = milliseconds(10'000)});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("no-such-host.invalid"), std::string::npos);
  EXPECT_EQ(get("gopher://x/").error().code, Code::kInvalidArgument);
  ClientRequest smuggler{.url = "http://127.0.0.1/"};
  smuggler.headers.add("X", "a\r\nEvil: b");
  EXPECT_EQ(send(std::move(smuggler)).error().code, Code::kInvalidArgument);
}

TEST_F(ClientTest, AResetInTheMiddleIsDataLoss) {
  ScriptedPeer peer(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal");
    socket.set_option(asio::socket_base::linger(true, 0));
    socket.close();
  });
  auto stream = loop_.run(client().open({.url = peer.url()}));
  if (!stream) {  // the reset may overtake the bytes
    EXPECT_EQ(stream.error().code, Code::kUnavailable);
    return;
  }
  Result<std::string_view> piece = std::string_view("x");
  while (piece && !piece->empty()) piece = loop_.run((*stream)->read(milliseconds(5000)));
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code, Code::kDataLoss);
}

TEST_F(ClientTest, TakesARefusalThatComesBeforeTheBodyIsSent) {
  ScriptedPeer peer(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    char some[1024];
    co_await socket.async_read_some(asio::buffer(some), kTestAwait);
    co_await say(
        socket, "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    socket.shutdown(TestSocket::shutdown_send);
    boost::system::error_code error;
    std::string rest(1 << 16, '\0');
    while (!error)
      std::tie(error, std::ignore) =
          co_await socket.async_read_some(asio::buffer(rest), kTestAwait);
  });
  const auto response =
      send({.method = Method::kPost, .url = peer.url(), .body = std::string(8 << 20, 'x')});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 413);
}

TEST_F(ClientTest, StreamsPieceByPiece) {
  asio::steady_timer more(loop_.io(), asio::steady_timer::time_point::max());
  bool closed = false;
  ScriptedPeer peer(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n");
    co_await more.async_wait(kTestAwait);
    co_await say(socket, "3\r\ntwo\r\n");
    closed = co_await client_closes(socket);
  });
  auto opened = loop_.run(client().open({.url = peer.url()}));
  ASSERT_TRUE(opened) << opened.error().message;
  ClientStream& stream = **opened;
  EXPECT_EQ(stream.status(), 200);
  EXPECT_EQ(loop_.run(stream.read(milliseconds(5000))).value(), "one ");
  more.cancel();
  EXPECT_EQ(loop_.run(stream.read(milliseconds(5000))).value(), "two");
  const auto nothing = loop_.run(stream.read(milliseconds(20)));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Code::kDeadlineExceeded);
  EXPECT_FALSE(loop_.run(stream.read(milliseconds(20)))) << "a broken body does not end well later";
  loop_.run_until([&closed] { return closed; });
}

TEST_F(ClientTest, FollowsRedirectsAndKeepsSecretsAtHome) {
  std::vector<std::string> elsewhere_saw, home_saw;
  ScriptedPeer elsewhere(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    elsewhere_saw.push_back(co_await read_request(socket));
    co_await say(socket, kHello);
  });
  ScriptedPeer home(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    home_saw.push_back(co_await read_request(socket));
    const bool first = home_saw.size() == 1;
    co_await say(socket, "HTTP/1.1 " + std::string(first ? "303 See" : "307 Keep") +
                             "\r\nContent-Length: 0\r\nLocation: " +
                             (first ? "next?x=1" : elsewhere.url("/away")) + "\r\n\r\n");
  });
  ClientRequest post{
      .method = Method::kPost, .url = home.url("/a/b"), .body = "form", .max_redirects = 2};
  post.headers.add("Authorization", "Bearer secret");
  const auto response = send(post);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "hello");
  EXPECT_TRUE(home_saw.at(1).starts_with("GET /a/next?x=1 HTTP/1.1\r\n")) << home_saw.at(1);
  EXPECT_NE(home_saw.at(1).find("Bearer secret"), std::string::npos);
  EXPECT_TRUE(elsewhere_saw.at(0).starts_with("GET /away HTTP/1.1\r\n"));
  EXPECT_EQ(elsewhere_saw.at(0).find("secret"), std::string::npos);
}

TEST_F(ClientTest, EndsARedirectCircle) {
  ScriptedPeer peer(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await read_request(socket);
    co_await say(socket, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
  });
  EXPECT_EQ(get(peer.url())->status, 302);
  const auto circle = send({.url = peer.url(), .max_redirects = 3});
  ASSERT_FALSE(circle);
  EXPECT_EQ(circle.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(peer.connections(), 5);
}

}  // namespace
}  // namespace binnacle::net
