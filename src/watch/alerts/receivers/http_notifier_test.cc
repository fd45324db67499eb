// The webhook against servers that behave, and against those that do not.
#include <gtest/gtest.h>

#include "watch/alerts/receivers/notification_json.h"
#include "watch/alerts/testing/receiver_fixture.h"

namespace binnacle::watch::alerts {
namespace {

namespace asio = boost::asio;
using Kind = SendOutcome::Kind;

class HttpNotifierTest : public ReceiverTest {
 protected:
  std::unique_ptr<Notifier> webhook(const std::string& url, int64_t timeout_ms = 0) {
    return make("webhook",
                WebhookConfig{.url = {url, ""}, .max_alerts = 0, .timeout_ms = timeout_ms});
  }
  SendOutcome told(const std::string& status, const std::string& body = "",
                   const std::string& fields = "") {
    answer(status, body, fields);
    return send(*webhook(peer_.url("/hook")));
  }
  static std::string key_of(const std::string& request) {
    const size_t at = request.find("Idempotency-Key: ");
    return at == std::string::npos ? "" : request.substr(at + 17, 64);
  }
};

TEST_F(HttpNotifierTest, PostsThePayload) {
  const SendOutcome out = told("200 OK");
  EXPECT_EQ(out.kind, Kind::kSent) << out.message;
  EXPECT_TRUE(request().starts_with("POST /hook HTTP/1.1\r\n")) << request();
  EXPECT_NE(request().find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(body(), notification_json(test_notification(), 0));
}

TEST_F(HttpNotifierTest, TriesAgainWhatMayGetBetter) {
  EXPECT_EQ(told("204 No Content").kind, Kind::kSent);
  EXPECT_EQ(told("500 Internal Server Error").kind, Kind::kRetry);
  EXPECT_EQ(told("503 Service Unavailable", "", "Retry-After: 7\r\n").retry_after_ms, 7'000);
  const SendOutcome busy = told("429 Too Many Requests", "slow down\n", "Retry-After: 1.5\r\n");
  EXPECT_EQ(busy.kind, Kind::kRetry);
  EXPECT_EQ(busy.retry_after_ms, 1'500);
  EXPECT_EQ(busy.message, "unexpected status code 429: slow down");
  EXPECT_EQ(told("503 Service Unavailable", "", "Retry-After: 1e99\r\n").retry_after_ms, 3'600'000);
  EXPECT_EQ(told("503 Service Unavailable", "", "Retry-After: soon\r\n").retry_after_ms, 0);
  const SendOutcome bad = told("400 Bad Request", std::string(5'000, 'x'));
  EXPECT_EQ(bad.kind, Kind::kFailed);
  EXPECT_EQ(bad.message, "unexpected status code 400: " + std::string(500, 'x') + "...");
}

TEST_F(HttpNotifierTest, NobodyThereIsTriedAgain) {
  asio::ip::tcp::acceptor gone(loop_.io(), {asio::ip::address_v4::loopback(), 0});
  const uint16_t closed = gone.local_endpoint().port();
  gone.close();
  const SendOutcome out = send(*webhook("http://127.0.0.1:" + std::to_string(closed) + "/s3cret"));
  EXPECT_EQ(out.kind, Kind::kRetry);
  EXPECT_EQ(out.message.find("s3cret"), std::string::npos) << out.message;
}

TEST_F(HttpNotifierTest, KeepsTheUrlOutOfMessages) {
  const SendOutcome echoed = told("403 Forbidden", "no access to " + peer_.url("/hook") + " /hook");
  EXPECT_EQ(echoed.message, "unexpected status code 403: no access to <redacted> <redacted>");
  const SendOutcome broken = send(*webhook("gopher://x/s3cret"));
  EXPECT_EQ(broken.kind, Kind::kFailed);
  EXPECT_EQ(broken.message.find("s3cret"), std::string::npos) << broken.message;
}

TEST_F(HttpNotifierTest, ARepetitionIsKnownForOne) {
  const auto key = [this](const Notification& told) {
    (void)send(*webhook(peer_.url()), told);  // another notifier each time, as after a crash
    return key_of(request());
  };
  Notification told = test_notification();
  told.reason = "first";
  const std::string first = key(told);
  EXPECT_EQ(first.size(), 64);
  told.now_ms += 1'000;
  EXPECT_EQ(key(told), first);
  told.reason = "repeat";
  const std::string repeat = key(told);
  told.now_ms += 1'000;
  EXPECT_NE(key(told), repeat);
  told.dedup_id = "7";
  const std::string named = key(told);
  told.now_ms += 1'000;
  EXPECT_EQ(key(told), named);
  told.alerts[1].ends_at_ms = told.now_ms;
  EXPECT_NE(key(told), named);
}

TEST_F(HttpNotifierTest, ReadsSecretsAtEachUse) {
  const std::string file = testing::TempDir() + "binnacle-webhook-url";
  Integration hook{.kind = "webhook"};
  hook.config = WebhookConfig{.url = {"", file}, .max_alerts = 0, .timeout_ms = 0};
  hook.http.authorization = net::Authorization{.credentials = "t0ken"};
  const auto notifier = make(hook);
  (void)real_file_system().remove(file);
  const SendOutcome missing = send(*notifier);
  EXPECT_EQ(missing.kind, Kind::kRetry);
  EXPECT_NE(missing.message.find(file), std::string::npos) << missing.message;
  ASSERT_TRUE(real_file_system().write_file_atomically(file, peer_.url("/one") + "\n"));
  EXPECT_EQ(send(*notifier).kind, Kind::kSent);
  EXPECT_TRUE(request().starts_with("POST /one "));
  EXPECT_NE(request().find("Authorization: Bearer t0ken\r\n"), std::string::npos);
  ASSERT_TRUE(real_file_system().write_file_atomically(file, peer_.url("/{{ .Status }}")));
  EXPECT_EQ(send(*notifier).kind, Kind::kSent);
  EXPECT_TRUE(request().starts_with("POST /firing ")) << request();
}

TEST_F(HttpNotifierTest, EndsInTimeWhereTheServerHangs) {
  net::ScriptedPeer silent(loop_, [](net::TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await net::read_request(socket);
    (void)co_await net::client_closes(socket);
  });
  const SendOutcome caller = send(*webhook(silent.url()), test_notification(), 50);
  EXPECT_EQ(caller.kind, Kind::kRetry);
  const SendOutcome own = send(*webhook(silent.url(), 50));
  EXPECT_EQ(own.kind, Kind::kRetry);
}

TEST_F(HttpNotifierTest, ABodyWithoutEndHarmsNobody) {
  size_t said = 0;
  net::ScriptedPeer endless(loop_, [&said](net::TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await net::read_request(socket);
    co_await net::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    const std::string piece(64 * 1024, 'x');
    while (said < (size_t{1} << 30)) {
      const auto [error, size] =
          co_await asio::async_write(socket, asio::buffer(piece), net::kTestAwait);
      if (error) co_return;
      said += size;
    }
  });
  EXPECT_EQ(send(*webhook(endless.url())).kind, Kind::kSent);
  EXPECT_LT(said, size_t{64} << 20);
}

TEST_F(HttpNotifierTest, ABodyThatDripsHarmsNobody) {
  net::ScriptedPeer dripping(loop_, [](net::TestSocket& socket, int) -> asio::awaitable<void> {
    (void)co_await net::read_request(socket);
    co_await net::say(socket, "HTTP/1.1 500 Slow\r\nContent-Length: 1000\r\n\r\nbecause");
    (void)co_await net::client_closes(socket);
  });
  const SendOutcome out = send(*webhook(dripping.url()), test_notification(), 100);
  EXPECT_EQ(out.kind, Kind::kRetry);
  EXPECT_EQ(out.message, "unexpected status code 500: because");
}

TEST_F(HttpNotifierTest, AnAnswerThatIsNoneIsTriedAgain) {
  net::ScriptedPeer rude(loop_, [](net::TestSocket& socket, int number) -> asio::awaitable<void> {
    (void)co_await net::read_request(socket);
    if (number > 0) co_await net::say(socket, "SSH-2.0-OpenSSH\r\n\r\n");
  });
  EXPECT_EQ(send(*webhook(rude.url())).kind, Kind::kRetry);
  EXPECT_EQ(send(*webhook(rude.url())).kind, Kind::kRetry);
}

TEST_F(HttpNotifierTest, WhatIsSentTogetherAgainDialsOnce) {
  constexpr int kTogether = 16;
  int heard = 0;
  asio::steady_timer all_are_there(loop_.io(), asio::steady_timer::time_point::max());
  const net::ScriptedPeer peer(loop_, [&](net::TestSocket& socket, int) -> asio::awaitable<void> {
    while (!(co_await net::read_request(socket)).empty()) {
      if (++heard % kTogether == 0) {
        all_are_there.cancel();
      } else {
        co_await all_are_there.async_wait(net::kTestAwait);
      }
      co_await net::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const auto hook = webhook(peer.url());
  const Notification told = test_notification();
  for (int round = 1; round <= 2; ++round) {
    int sent = 0;
    for (int i = 0; i < kTogether; ++i) {
      loop_.start([](Notifier& to, const Notification& what, int& count) -> asio::awaitable<void> {
        const SendOutcome outcome = co_await to.send(what, 10'000);
        EXPECT_EQ(outcome.kind, Kind::kSent) << outcome.message;
        ++count;
      }(*hook, told, sent));
    }
    loop_.run_until([&] { return sent == kTogether; });
    EXPECT_EQ(peer.connections(), kTogether) << round;
  }
}

TEST_F(HttpNotifierTest, ATemplateThatFailsDoesSoForGood) {
  const SendOutcome out = send(*webhook(peer_.url("/{{ template \"none\" . }}")));
  EXPECT_EQ(out.kind, Kind::kFailed);
  EXPECT_NE(out.message.find("none"), std::string::npos) << out.message;
  EXPECT_TRUE(requests_.empty());
}

TEST_F(HttpNotifierTest, AnAttemptOutlivesItsNotifier) {
  auto notifier = webhook(peer_.url());
  auto attempt = notifier->send(test_notification(), 10'000);
  notifier.reset();
  EXPECT_EQ(loop_.run(std::move(attempt)).kind, Kind::kSent);
}

}  // namespace
}  // namespace binnacle::watch::alerts
