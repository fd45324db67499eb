// TLS from the files to the bytes on the wire, both ends ours.
#include "net/tls.h"

#include "base/clock.h"
#include "base/file_system.h"
#include "net/client.h"
#include "net/coroutine_test_loop.h"
#include "net/test_certificates.h"
#include "net/tls_transport.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <boost/asio/ssl/context.hpp>

#include <cstdlib>

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

class TlsTest : public testing::Test {
 public:
  TlsTest() {
    std::string name = testing::TempDir() + "binnacle-tls-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    folder_ = name + "/";
    write("ca.pem", authority_.certificate());
    write_pair("server", authority_.issue("server", "DNS:localhost,IP:127.0.0.1"));
    write_pair("client", authority_.issue("agent-7", ""));
  }
  ~TlsTest() override { (void)files_.remove_all(folder_); }

 protected:
  void write(const std::string& name, const std::string& bytes) {
    CHECK(files_.write_file_atomically(folder_ + name, bytes, 0600).has_value());
  }
  void write_pair(const std::string& name, const CertificateAndKey& pair) {
    write(name + ".pem", pair.certificate);
    write(name + ".key", pair.key);
  }
  TlsServerOptions server_options() const {
    return {.certificate_file = folder_ + "server.pem", .key_file = folder_ + "server.key"};
  }
  TlsServerOptions mutual_options(bool required = true) const {
    TlsServerOptions options = server_options();
    options.client_ca_file = folder_ + "ca.pem";
    options.require_client_certificate = required;
    return options;
  }
  std::string load_error(const TlsServerOptions& options) {
    const auto loaded = TlsServerContext::load(files_, options);
    return loaded ? "loaded" : loaded.error().message;
  }

  ClientOptions client_options(bool with_certificate = false) const {
    ClientOptions options;
    options.proxy_from_environment = false;
    options.tls.ca_file = folder_ + "ca.pem";
    if (with_certificate) {
      options.tls.certificate_file = folder_ + "client.pem";
      options.tls.key_file = folder_ + "client.key";
    }
    return options;
  }

  // A server that answers every request with "for SUBJECT" over TLS; `seen` gets each accept's
  // error.
  ScriptedPeer::Script answering(TlsServerContext& context,
                                 std::vector<std::string>* seen = nullptr) {
    return [&context, seen](TestSocket& socket, int) -> asio::awaitable<void> {
      auto accepted = co_await accept_tls(std::move(socket), context.current(), milliseconds(5000));
      if (seen != nullptr) seen->push_back(accepted ? "" : accepted.error().message);
      if (!accepted) co_return;
      char request[4096];
      while (true) {
        const auto [error, size] = co_await accepted->transport->read_some(asio::buffer(request));
        if (error) co_return;
        const std::string body = "for " + accepted->client_subject;
        const std::string head =
            "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
        co_await accepted->transport->write(asio::buffer(head), asio::buffer(body));
      }
    };
  }
  std::string secure_url(const ScriptedPeer& peer, const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(peer.port()) + "/";
  }
  Result<Response> get(Client& client, const std::string& url) {
    return loop_.run(client.send({.url = url}));
  }

  FileSystem& files_ = real_file_system();
  std::string folder_;
  const TestAuthority authority_{"test authority"};
  TestLoop loop_;
};

TEST_F(TlsTest, LoadErrorsNameTheFileAndTheWayOut) {
  EXPECT_EQ(load_error(server_options()), "loaded");
  const auto has = [](const std::string& message, std::initializer_list<std::string> parts) {
    for (const std::string& part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  TlsServerOptions options = server_options();
  options.key_file = folder_ + "missing.key";
  has(load_error(options), {"missing.key", "No such file"});

  write("other.key", authority_.issue("x", "").key);
  options.key_file = folder_ + "other.key";
  has(load_error(options), {"other.key", "does not fit", "server.pem"});

  write("text.pem", "hello\n");
  options = server_options();
  options.certificate_file = folder_ + "text.pem";
  has(load_error(options), {"text.pem", "no certificate", "PEM"});

  write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  options.certificate_file = folder_ + "broken.pem";
  has(load_error(options), {"broken.pem", "broken certificate"});

  write_pair("old", authority_.issue("server", "", -7200, -3600));
  options = {.certificate_file = folder_ + "old.pem", .key_file = folder_ + "old.key"};
  has(load_error(options), {"old.pem", "expired", "renew"});

  write_pair("early", authority_.issue("server", "", 3600, 7200));
  options = {.certificate_file = folder_ + "early.pem", .key_file = folder_ + "early.key"};
  has(load_error(options), {"early.pem", "not valid before", "clock"});

  write("locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
  options = server_options();
  options.key_file = folder_ + "locked.key";
  has(load_error(options), {"locked.key", "encrypted", "passphrase"});

  options = server_options();
  options.require_client_certificate = true;
  has(load_error(options), {"CA file"});
}

TEST_F(TlsTest, KnowsWhenTheCertificateEnds) {
  const auto context = TlsServerContext::load(files_, server_options());
  ASSERT_TRUE(context);
  const int64_t left_ms = (*context)->expires_at_ms() - SystemClock().wall_ms();
  EXPECT_GT(left_ms, 3500 * 1000);
  EXPECT_LE(left_ms, 3600 * 1000);
}

TEST_F(TlsTest, ServesAClientThatTrustsTheAuthority) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  ScriptedPeer peer(loop_, answering(*context));
  Client client(client_options(), files_);
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto response = get(client, secure_url(peer, host));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "for ");
  }
  ASSERT_TRUE(get(client, secure_url(peer)));
  EXPECT_EQ(peer.connections(), 2) << "a TLS connection is kept too";
}

TEST_F(TlsTest, TakesTextsWhereNoFileIsNamed) {
  const auto required = TlsServerContext::load(files_, mutual_options()).value();
  ScriptedPeer peer(loop_, answering(*required));
  const TlsClientOptions named = client_options(true).tls;
  ClientOptions options = client_options();
  options.tls = {.ca_pem = files_.read_file(named.ca_file).value(),
                 .certificate_pem = files_.read_file(named.certificate_file).value(),
                 .key_pem = files_.read_file(named.key_file).value()};
  Client client(options, files_);
  const auto response = get(client, secure_url(peer));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "for CN=agent-7");

  options.tls.key_pem = "";
  Client keyless(options, files_);
  EXPECT_FALSE(get(keyless, secure_url(peer)));
}

TEST_F(TlsTest, RefusesAnotherHostAndAnotherAuthority) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  ScriptedPeer peer(loop_, answering(*context));
  const auto refused = [&](const ClientOptions& options) {
    Client client(options, files_);
    const auto response = get(client, secure_url(peer));
    return response
               ? "accepted"
               : std::string(code_name(response.error().code)) + " " + response.error().message;
  };
  ClientOptions other_host = client_options();
  other_host.tls.server_name = "elsewhere.example";
  EXPECT_NE(refused(other_host).find("unauthenticated"), std::string::npos) << refused(other_host);

  write("foreign.pem", TestAuthority("foreign").certificate());
  ClientOptions foreign = client_options();
  foreign.tls.ca_file = folder_ + "foreign.pem";
  EXPECT_NE(refused(foreign).find("unauthenticated"), std::string::npos) << refused(foreign);

  ClientOptions system_only = client_options();
  system_only.tls.ca_file = "";
  EXPECT_NE(refused(system_only).find("unauthenticated"), std::string::npos)
      << refused(system_only);

  other_host.tls.insecure_skip_verify = true;
  EXPECT_EQ(refused(other_host), "accepted");
}

TEST_F(TlsTest, AsksForClientCertificates) {
  const auto required = TlsServerContext::load(files_, mutual_options()).value();
  std::vector<std::string> seen;
  ScriptedPeer strict(loop_, answering(*required, &seen));
  Client known(client_options(true), files_);
  const auto response = get(known, secure_url(strict));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "for CN=agent-7");

  Client anonymous(client_options(), files_);
  EXPECT_FALSE(get(anonymous, secure_url(strict)));
  loop_.run_until([&seen] { return seen.size() == 2; });
  EXPECT_NE(seen[1], "");

  // A certificate of somebody else's authority is no better than none.
  write_pair("client", TestAuthority("foreign").issue("intruder", ""));
  Client intruder(client_options(true), files_);
  EXPECT_FALSE(get(intruder, secure_url(strict)));
  loop_.run_until([&seen] { return seen.size() == 3; });
  EXPECT_NE(seen[2].find("certificate refused"), std::string::npos) << seen[2];

  const auto optional = TlsServerContext::load(files_, mutual_options(false)).value();
  ScriptedPeer lenient(loop_, answering(*optional));
  EXPECT_EQ(get(anonymous, secure_url(lenient))->body, "for ");
}

TEST_F(TlsTest, ReloadsWithoutDroppingConnections) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  ScriptedPeer peer(loop_, answering(*context));
  Client client(client_options(), files_);
  ASSERT_TRUE(get(client, secure_url(peer)));
  EXPECT_FALSE(context->files_changed());

  // From here on only a new authority's certificate is shown, which this client does not trust.
  const TestAuthority renewed("renewed authority");
  write_pair("server", renewed.issue("server", "IP:127.0.0.1"));
  EXPECT_TRUE(context->files_changed());
  ASSERT_TRUE(context->reload());
  EXPECT_FALSE(context->files_changed());
  EXPECT_TRUE(get(client, secure_url(peer))) << "the kept connection goes on";
  EXPECT_EQ(peer.connections(), 1);
  Client fresh(client_options(), files_);
  EXPECT_FALSE(get(fresh, secure_url(peer)));

  // The client's own files are taken up by its next connection.
  write("ca.pem", renewed.certificate());
  EXPECT_TRUE(get(fresh, secure_url(peer)));
}

TEST_F(TlsTest, KeepsTheOldWhenTheNewIsBroken) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  const auto before = context->current();
  write("server.key", "half a k");
  const auto reloaded = context->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.error().message.find("server.key"), std::string::npos);
  EXPECT_EQ(context->current(), before);

  TlsClientContext client(files_, client_options().tls);
  const auto good = client.current();
  ASSERT_TRUE(good);
  write("ca.pem", "broken");
  EXPECT_EQ(client.current().value(), *good);
  TlsClientContext never_good(files_, client_options().tls);
  EXPECT_FALSE(never_good.current());
}

TEST_F(TlsTest, SpeaksNothingOlderThanTls12) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  std::vector<std::string> seen;
  ScriptedPeer peer(loop_, answering(*context, &seen));
  const auto try_version = [&](int version) {
    auto old = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX_set_max_proto_version(old->native_handle(), version);
    SSL_CTX_set_security_level(old->native_handle(), 0);
    return loop_.run(
        [](uint16_t port, std::shared_ptr<asio::ssl::context> with) -> asio::awaitable<bool> {
          TestSocket socket(co_await asio::this_coro::executor);
          co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, kTestAwait);
          Deadline deadline(socket.get_executor(), milliseconds(5000));
          co_return (co_await connect_tls(std::move(socket), with, {"localhost", false}, deadline))
              .has_value();
        }(peer.port(), old));
  };
  EXPECT_TRUE(try_version(TLS1_2_VERSION));
  EXPECT_FALSE(try_version(TLS1_1_VERSION));
}

TEST_F(TlsTest, EndsAHandshakeThatDoesNotMove) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  milliseconds patience(20);
  std::optional<Code> code;
  ScriptedPeer peer(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    const auto accepted = co_await accept_tls(std::move(socket), context->current(), patience);
    code = accepted ? Code::kInternal : accepted.error().code;
  });
  TestSocket silent(loop_.io());
  silent.connect({asio::ip::address_v4::loopback(), peer.port()});
  loop_.run_until([&code] { return code.has_value(); });
  EXPECT_EQ(*code, Code::kDeadlineExceeded);

  // Plain HTTP on a TLS port is told apart from silence.
  patience = milliseconds(10'000);
  code.reset();
  TestSocket plain(loop_.io());
  plain.connect({asio::ip::address_v4::loopback(), peer.port()});
  asio::write(plain, asio::buffer(std::string_view("GET / HTTP/1.1\r\n\r\n")));
  loop_.run_until([&code] { return code.has_value(); });
  EXPECT_EQ(*code, Code::kUnauthenticated);
}

TEST_F(TlsTest, ABodyThatEndsWithTheConnectionNeedsAnOrderlyEnd) {
  const auto context = TlsServerContext::load(files_, server_options()).value();
  bool orderly = false;
  ScriptedPeer peer(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    auto accepted = co_await accept_tls(std::move(socket), context->current(), milliseconds(5000));
    CHECK(accepted.has_value());
    char request[4096];
    co_await accepted->transport->read_some(asio::buffer(request));
    co_await accepted->transport->write(
        asio::buffer(std::string_view("HTTP/1.1 200 OK\r\n\r\nall of it")), {});
    if (orderly) co_await accepted->transport->shutdown();
  });
  Client client(client_options(), files_);
  const auto cut = get(client, secure_url(peer));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::kDataLoss);
  orderly = true;
  const auto whole = get(client, secure_url(peer));
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->body, "all of it");
}

}  // namespace
}  // namespace binnacle::net
