// Certificates that are good, short, over, of another name and of nobody known; by the TLS check
// and by the HTTP check.
#include "net/test_certificates.h"
#include "net/tls_transport.h"
#include "watch/health/checks/test_checks.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using net::ScriptedPeer;
using net::TestSocket;
using testing::HasSubstr;

constexpr long kDay = 86'400;

class TlsCheckTest : public CheckTest {
 protected:
  // Speaks TLS with a certificate of that name, valid for so many seconds; answers every request.
  std::unique_ptr<ScriptedPeer> serve(const std::string& names, long until_seconds,
                                      long from_seconds = -60) {
    const auto context =
        net::server_context(authority_.issue("server", names, from_seconds, until_seconds));
    return std::make_unique<ScriptedPeer>(
        loop_, [context](TestSocket& socket, int) -> asio::awaitable<void> {
          auto accepted =
              co_await net::accept_tls(std::move(socket), context, std::chrono::milliseconds(5000));
          if (!accepted) co_return;
          char request[4096];
          const auto [error, size] = co_await accepted->transport->read_some(asio::buffer(request));
          if (error) co_return;
          constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";
          co_await accepted->transport->write(asio::buffer(kAnswer), {});
          co_await accepted->transport->shutdown();
        });
  }
  std::string trust() const {
    std::string indented = authority_.certificate();
    for (size_t at = 0; (at = indented.find('\n', at)) != std::string::npos; at += 2)
      indented.replace(at, 1, "\\n");
    return ", tls_config: {ca: \"" + indented + "\"}";
  }
  std::string tls(const ScriptedPeer& peer, const std::string& more) {
    return text_of(run("tls", "address: \"127.0.0.1:" + std::to_string(peer.port()) + "\"" + more));
  }
  std::string https(const ScriptedPeer& peer, const std::string& more) {
    return text_of(run(
        "http", "url: \"https://127.0.0.1:" + std::to_string(peer.port()) + "\"" + more + trust()));
  }

  const net::TestAuthority authority_{"test authority"};
};

TEST_F(TlsCheckTest, CountsTheDaysThatAreLeft) {
  const auto peer = serve("IP:127.0.0.1", 10 * kDay + 600);
  EXPECT_THAT(tls(*peer, trust()), HasSubstr("degraded: the certificate ends in 10.0 days, on 20"));
  EXPECT_THAT(tls(*peer, trust() + ", certificate_days: {warn: 9, critical: 3}"),
              HasSubstr("healthy: CN=server, 10 days left"));
  EXPECT_THAT(tls(*peer, trust() + ", certificate_days: {critical: 20}"), HasSubstr("critical: "));
  EXPECT_THAT(https(*peer, ""), HasSubstr("healthy: 204"));
  EXPECT_THAT(https(*peer, ", certificate_days: {warn: 21, critical: 7}"),
              HasSubstr("degraded: the certificate ends in 10.0 days"));
}

TEST_F(TlsCheckTest, SaysWhatIsWrongWithACertificate) {
  const auto over = serve("IP:127.0.0.1", -kDay, -2 * kDay);
  for (const std::string& said : {tls(*over, trust()), https(*over, "")}) {
    EXPECT_THAT(said, HasSubstr("critical: "));
    EXPECT_THAT(said, HasSubstr("certificate has expired (CN=server, valid until 20"));
  }
  EXPECT_THAT(tls(*over, ", tls_config: {insecure_skip_verify: true}"),
              HasSubstr("critical: the certificate of CN=server expired on 20"));
  const auto early = serve("IP:127.0.0.1", 2 * kDay, kDay);
  EXPECT_THAT(tls(*early, trust()), HasSubstr("not yet valid (CN=server, valid from 20"));
  const auto other = serve("DNS:other.example,IP:127.0.0.9", kDay);
  EXPECT_THAT(tls(*other, trust()), HasSubstr("other.example, 127.0.0.9)"));
  const auto stranger = serve("IP:127.0.0.1", kDay);
  EXPECT_THAT(tls(*stranger, ""), HasSubstr("issued by CN=test authority)"));
}

TEST_F(TlsCheckTest, WhatSpeaksNoTlsOrNothingFails) {
  ScriptedPeer plain(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    co_await net::say(socket, "220 plain text here\r\n");
  });
  EXPECT_THAT(tls(plain, ""), HasSubstr("TLS handshake: "));
  ScriptedPeer silent(loop_, [](TestSocket& socket, int) -> asio::awaitable<void> {
    while (!co_await net::client_closes(socket)) continue;
  });
  const std::string address = "address: \"127.0.0.1:" + std::to_string(silent.port()) + "\"";
  EXPECT_THAT(text_of(run("tls", address, 200)), HasSubstr("failed: TLS handshake: not done in"));
}

}  // namespace
}  // namespace binnacle::watch::health
