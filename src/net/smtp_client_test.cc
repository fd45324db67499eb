// The SMTP client against a server that keeps to the protocol, and against some that do not.
#include "net/smtp_client.h"

#include <gtest/gtest.h>

#include <map>

#include "net/base64.h"
#include "net/coroutine_test_loop.h"
#include "net/smtp_dialogue.h"
#include "net/tcp_transport.h"
#include "net/test_certificates.h"
#include "net/tls_transport.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// Answers each verb as it is told to, and keeps what it heard.
struct MailServer {
  std::vector<std::string> extensions;
  std::map<std::string, std::string> replies;  // by the first word of a line
  std::shared_ptr<asio::ssl::context> tls;
  std::vector<std::string> heard;
  std::string mail;

  asio::awaitable<void> serve(TestSocket& socket) {
    auto transport = make_tcp_transport(std::move(socket));
    std::string greeting = reply_to("CONNECT", "220 here\r\n");
    co_await transport->write(asio::buffer(greeting), {});
    while (true) {
      const std::string line = co_await read_until(*transport, "\r\n");
      if (line.empty()) co_return;
      heard.push_back(line.substr(0, line.size() - 2));
      const std::string verb = heard.back().substr(0, heard.back().find(' '));
      const std::string answer = reply_to(verb, usual(verb));
      co_await transport->write(asio::buffer(answer), {});
      if (verb == "STARTTLS" && tls != nullptr && answer.starts_with("220")) {
        auto taken = take_tcp_socket(*transport);
        auto accepted = co_await accept_tls(std::move(*taken), tls, milliseconds(5'000));
        if (!accepted) co_return;
        transport = std::move(accepted->transport);
      }
      if (verb != "DATA" || !answer.starts_with("354")) continue;
      mail = co_await read_until(*transport, "\r\n.\r\n");
      const std::string taken = reply_to("MAIL-TEXT", "250 queued\r\n");
      co_await transport->write(asio::buffer(taken), {});
    }
  }

 private:
  std::string usual(const std::string& verb) const {
    if (verb == "DATA") return "354 go on\r\n";
    if (verb == "STARTTLS") return "220 go on\r\n";
    if (verb != "EHLO") return "250 fine\r\n";
    std::string out = "250-mail.test\r\n";
    for (const std::string& one : extensions) out += "250-" + one + "\r\n";
    return out + "250 HELP\r\n";
  }
  std::string reply_to(const std::string& verb, const std::string& otherwise) const {
    const auto at = replies.find(verb);
    return at == replies.end() ? otherwise : at->second;
  }
  static asio::awaitable<std::string> read_until(Transport& transport, std::string_view end) {
    std::string text;
    while (!text.ends_with(end)) {
      char byte;
      const auto [error, size] = co_await transport.read_some(asio::buffer(&byte, 1));
      if (error) co_return std::string();
      text += byte;
    }
    co_return text;
  }
};

class SmtpClient : public testing::Test {
 protected:
  SmtpClient() { settings_.require_tls = false; }

  Status send(Mail mail = {.from = "a@x", .to = {"b@y"}, .text = "Subject: s\r\n\r\nhi\r\n"},
              milliseconds timeout = milliseconds(10'000)) {
    settings_.address = {"127.0.0.1", peer_.port()};
    return loop_.run(send_mail(settings_, login_, std::move(mail), real_file_system(), timeout));
  }
  void trust(const TestAuthority& authority, const std::string& names) {
    server_.tls = server_context(authority.issue("mail", names));
    server_.extensions.push_back("STARTTLS");
    settings_.require_tls = true;
    settings_.tls.ca_pem = authority.certificate();
  }
  Error error_of(const Status& status) {
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
  }

  TestLoop loop_;
  MailServer server_;
  ScriptedPeer peer_{loop_, [this](TestSocket& socket, int) { return server_.serve(socket); }};
  SmtpServer settings_;
  SmtpLogin login_;
};

TEST_F(SmtpClient, HandsOverAMailWithItsDotsDoubled) {
  const auto sent =
      send({.from = "a@x", .to = {"b@y", "c@z"}, .text = "S: s\r\n\r\n.\r\n..x\r\nend\r\n"});
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(server_.heard,
            (std::vector<std::string>{"EHLO localhost", "MAIL FROM:<a@x>", "RCPT TO:<b@y>",
                                      "RCPT TO:<c@z>", "DATA", "QUIT"}));
  EXPECT_EQ(server_.mail, "S: s\r\n\r\n..\r\n...x\r\nend\r\n.\r\n");
}

TEST_F(SmtpClient, WithoutStarttlsThereIsNoMail) {
  settings_.require_tls = true;
  const Error error = error_of(send());
  EXPECT_EQ(error.code, Code::kFailedPrecondition);
  EXPECT_NE(error.message.find("STARTTLS"), std::string::npos) << error.message;
  EXPECT_EQ(server_.heard, std::vector<std::string>{"EHLO localhost"});
}

TEST_F(SmtpClient, ChangesToTlsAndAsksAnew) {
  const TestAuthority authority("authority");
  trust(authority, "IP:127.0.0.1");
  const auto sent = send();
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(server_.heard[1], "STARTTLS");
  EXPECT_EQ(server_.heard[2], "EHLO localhost");
  EXPECT_EQ(server_.mail, "Subject: s\r\n\r\nhi\r\n.\r\n");
}

TEST_F(SmtpClient, TellsNothingToAServerThatItCannotTrust) {
  const TestAuthority authority("authority");
  trust(authority, "DNS:other");
  EXPECT_EQ(error_of(send()).code, Code::kUnauthenticated);
  EXPECT_EQ(server_.heard.back(), "STARTTLS");
  settings_.tls.server_name = "other";
  EXPECT_TRUE(send());
}

TEST_F(SmtpClient, RefusesPlainTextBehindStarttls) {
  const TestAuthority authority("authority");
  trust(authority, "IP:127.0.0.1");
  server_.replies["STARTTLS"] = "220 go on\r\n250 injected\r\n";
  server_.tls = nullptr;
  EXPECT_EQ(error_of(send()).code, Code::kDataLoss);
}

TEST_F(SmtpClient, SpeaksTlsFromTheFirstByte) {
  const TestAuthority authority("authority");
  auto context = server_context(authority.issue("mail", "IP:127.0.0.1"));
  bool secured = false;
  ScriptedPeer peer(loop_, [&](TestSocket& socket, int) -> asio::awaitable<void> {
    const auto accepted = co_await accept_tls(std::move(socket), context, milliseconds(5'000));
    secured = accepted.has_value();
    if (!secured) co_return;
    const std::string refusal = "554 not today\r\n";
    co_await accepted->transport->write(asio::buffer(refusal), {});
  });
  settings_.implicit_tls = true;
  settings_.tls.ca_pem = authority.certificate();
  settings_.address = {"127.0.0.1", peer.port()};
  const auto sent = loop_.run(send_mail(settings_, {}, {.from = "a@x", .to = {"b@y"}, .text = ""},
                                        real_file_system(), milliseconds(10'000)));
  EXPECT_NE(error_of(sent).message.find("554 not today"), std::string::npos)
      << sent.error().message;
  EXPECT_TRUE(secured);
}

TEST_F(SmtpClient, LogsInByPlain) {
  server_.extensions = {"AUTH XOAUTH2 PLAIN LOGIN"};
  server_.replies["AUTH"] = "235 welcome\r\n";
  login_ = {.username = "user", .identity = "", .password = "pass word", .secret = ""};
  ASSERT_TRUE(send());
  EXPECT_EQ(server_.heard[1], "AUTH PLAIN " + encode_base64(std::string("\0user\0pass word", 15)));
}

TEST_F(SmtpClient, LogsInByQuestions) {
  server_.extensions = {"AUTH LOGIN PLAIN"};
  server_.replies["AUTH"] = "334 VXNlcm5hbWU6\r\n";
  server_.replies[encode_base64("user")] = "334 UGFzc3dvcmQ6\r\n";
  server_.replies[encode_base64("pass")] = "235 welcome\r\n";
  login_ = {.username = "user", .identity = "", .password = "pass", .secret = ""};
  const auto sent = send();
  ASSERT_TRUE(sent) << sent.error().message;
}

// The example of RFC 2195.
TEST_F(SmtpClient, LogsInByCramMd5) {
  server_.extensions = {"AUTH PLAIN CRAM-MD5"};
  server_.replies["AUTH"] =
      "334 " + encode_base64("<1896.697170952@postoffice.reston.mci.net>") + "\r\n";
  const std::string answer = encode_base64("tim b913a602c7eda7a495b4e6e7334d3890");
  server_.replies[answer] = "235 welcome\r\n";
  login_ = {.username = "tim", .identity = "", .password = "", .secret = "tanstaaftanstaaf"};
  const auto sent = send();
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(server_.heard[2], answer);
}

TEST_F(SmtpClient, SaysWhyALoginFailed) {
  server_.extensions = {"AUTH PLAIN"};
  server_.replies["AUTH"] = "535 5.7.8 no\r\n";
  login_ = {.username = "user", .identity = "", .password = "secret", .secret = ""};
  const Error refused = error_of(send());
  EXPECT_NE(refused.message.find("AUTH: 535 5.7.8 no"), std::string::npos) << refused.message;
  server_.extensions = {"AUTH GSSAPI"};
  const Error none = error_of(send());
  EXPECT_NE(none.message.find("GSSAPI"), std::string::npos) << none.message;
}

TEST_F(SmtpClient, TellsALaterFromANever) {
  server_.replies["RCPT"] = "451 4.3.0 later\r\n";
  const Error later = error_of(send());
  EXPECT_EQ(later.code, Code::kUnavailable);
  EXPECT_EQ(later.message, "SMTP: b@y: RCPT: 451 4.3.0 later");
  server_.replies = {{"MAIL-TEXT", "554-spam\r\n554 never\r\n"}};
  const Error never = error_of(send());
  EXPECT_EQ(never.code, Code::kFailedPrecondition);
  EXPECT_EQ(never.message, "SMTP: deliver: 554 spam never");
}

TEST_F(SmtpClient, TakesAnOldServer) {
  server_.replies["EHLO"] = "502 what\r\n";
  ASSERT_TRUE(send());
  EXPECT_EQ(server_.heard[1], "HELO localhost");
}

TEST_F(SmtpClient, LetsNobodyWriteIntoTheDialogue) {
  EXPECT_EQ(error_of(send({.from = "a@x>\r\nRSET", .to = {"b@y"}, .text = ""})).code,
            Code::kInvalidArgument);
  EXPECT_EQ(error_of(send({.from = "a@x", .to = {"b@y> c"}, .text = ""})).code,
            Code::kInvalidArgument);
  EXPECT_EQ(error_of(send({.from = "a@x", .to = {}, .text = ""})).code, Code::kInvalidArgument);
  EXPECT_EQ(peer_.connections(), 0);
}

TEST_F(SmtpClient, AddressesBeyondAsciiNeedAServerThatTakesThem) {
  const Mail mail{.from = "ä@x", .to = {"b@y"}, .text = ""};
  EXPECT_EQ(error_of(send(mail)).code, Code::kFailedPrecondition);
  server_.extensions = {"smtputf8"};
  server_.heard.clear();
  ASSERT_TRUE(send(mail));
  EXPECT_EQ(server_.heard[1], "MAIL FROM:<ä@x> SMTPUTF8");
}

TEST_F(SmtpClient, EndsInTimeWhereTheServerHangs) {
  server_.replies["DATA"] = "";
  const Error error = error_of(send({.from = "a@x", .to = {"b@y"}, .text = ""}, milliseconds(100)));
  EXPECT_EQ(error.code, Code::kDeadlineExceeded) << error.message;
  EXPECT_NE(error.message.find("DATA"), std::string::npos) << error.message;
}

TEST_F(SmtpClient, EndsWhereAReplyDoesNot) {
  server_.replies["CONNECT"] = std::string(20'000, 'x');
  EXPECT_EQ(error_of(send()).code, Code::kDataLoss);
  std::string endless;
  for (int i = 0; i < 1'000; ++i) endless += "220-more\r\n";
  server_.replies["CONNECT"] = endless;
  EXPECT_EQ(error_of(send()).code, Code::kDataLoss);
  server_.replies["CONNECT"] = "HTTP/1.1 400 Bad Request\r\n\r\n";
  EXPECT_EQ(error_of(send()).code, Code::kDataLoss);
}

}  // namespace
}  // namespace binnacle::net
