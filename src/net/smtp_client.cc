#include "net/smtp_client.h"

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "net/base64.h"
#include "net/http.h"
#include "net/smtp_dialogue.h"
#include "net/smtp_login.h"
#include "net/tcp_transport.h"
#include "net/tls_transport.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

bool is_plain_word(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>' || c == '\x7f';
  });
}

Status check(const SmtpServer& server, const Mail& mail) {
  if (!is_plain_word(server.hello))
    return fail(Code::kInvalidArgument, "SMTP: not a host name (" + server.hello + ")");
  if (mail.to.empty()) return fail(Code::kInvalidArgument, "SMTP: a mail to nobody");
  if (!is_plain_word(mail.from))
    return fail(Code::kInvalidArgument, "SMTP: not an address (" + mail.from + ")");
  for (const std::string& to : mail.to) {
    if (!is_plain_word(to))
      return fail(Code::kInvalidArgument, "SMTP: not an address (" + to + ")");
  }
  return {};
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

// A line that begins with a dot gets a second one; a dot alone ends the mail (RFC 5321, 4.5.2).
std::string stuffed(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && c == '.') out += '.';
    out += c;
    line_begins = c == '\n';
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out + ".\r\n";
}

class Delivery {
 public:
  Delivery(SmtpServer server, SmtpLogin login, Mail mail, FileSystem& files,
           const asio::any_io_executor& executor, milliseconds timeout)
      : server_(std::move(server)),
        login_(std::move(login)),
        mail_(std::move(mail)),
        timeout_(timeout),
        deadline_(executor, timeout),
        tls_(files, server_.tls) {}

  asio::awaitable<Status> run() {
    if (auto fine = check(server_, mail_); !fine) co_return fine;
    auto done = co_await deliver();
    if (!done && deadline_.expired() && done.error().code != Code::kDeadlineExceeded) {
      done = fail(Code::kDeadlineExceeded,
                  fmt::format("{}: not done in time ({} ms)", step_, timeout_.count()));
    }
    if (!done) co_return fail(std::move(done).error().with_context("SMTP"));
    co_return done;
  }

 private:
  asio::awaitable<Status> deliver();
  asio::awaitable<Status> connect();
  asio::awaitable<Status> greet();
  asio::awaitable<Status> start_tls();
  asio::awaitable<Status> transfer();
  asio::awaitable<Status> expect(std::string command, std::string_view step, int wanted);
  void talk_over(std::unique_ptr<Transport> transport);

  std::string tls_name() const {
    return server_.tls.server_name.empty() ? server_.address.host : server_.tls.server_name;
  }

  // Fixed after construction
  const SmtpServer server_;
  const SmtpLogin login_;
  const Mail mail_;
  const milliseconds timeout_;

  // Executor only
  std::unique_ptr<SmtpDialogue> dialogue_;
  std::string_view step_ = "connect";
  bool encrypted_ = false;
  SmtpExtensions extensions_;
  Deadline deadline_;  // its action closes the dialogue
  TlsClientContext tls_;
};

void Delivery::talk_over(std::unique_ptr<Transport> transport) {
  dialogue_ = std::make_unique<SmtpDialogue>(std::move(transport));
  deadline_.on_expiry([this] { dialogue_->transport().close(); });
}

asio::awaitable<Status> Delivery::connect() {
  DialPlan plan;
  plan.connect_to = server_.address;
  if (server_.implicit_tls) plan.tls = &tls_;
  plan.server_name = tls_name();
  auto transport = co_await dial(plan, timeout_, deadline_);
  if (!transport) co_return fail(std::move(transport).error());
  encrypted_ = server_.implicit_tls;
  talk_over(std::move(*transport));
  co_return Status();
}

// Replies of another class than `wanted`'s are errors.
asio::awaitable<Status> Delivery::expect(std::string command, std::string_view step, int wanted) {
  step_ = step;
  const auto reply = co_await dialogue_->ask(std::move(command));
  if (!reply) co_return fail(Error(reply.error()).with_context(step));
  if (reply->code / 100 == wanted / 100) co_return Status();
  co_return fail(reply->refusal().with_context(step));
}

asio::awaitable<Status> Delivery::greet() {
  step_ = "EHLO";
  const auto reply = co_await dialogue_->ask("EHLO " + server_.hello + "\r\n");
  if (!reply) co_return fail(Error(reply.error()).with_context(step_));
  if (reply->code == 250) {
    extensions_ = SmtpExtensions(*reply);
    co_return Status();
  }
  // A server of before RFC 1869 has no extensions; TLS and logins are not to be had there.
  extensions_ = {};
  co_return co_await expect("HELO " + server_.hello + "\r\n", "HELO", 250);
}

asio::awaitable<Status> Delivery::start_tls() {
  if (!extensions_.has("STARTTLS")) {
    co_return fail(Code::kFailedPrecondition,
                   "TLS is required, but the server does not offer STARTTLS; set require_tls: "
                   "false to send in plain text");
  }
  if (auto done = co_await expect("STARTTLS\r\n", "STARTTLS", 220); !done) co_return done;
  // What came in plain text behind the reply could be anybody's.
  if (dialogue_->has_more()) {
    co_return fail(Code::kDataLoss, "STARTTLS: the server went on in plain text");
  }
  auto context = tls_.current();
  if (!context) co_return fail(std::move(context).error());
  auto socket = take_tcp_socket(dialogue_->transport());
  if (!socket) co_return fail(Code::kInternal, "STARTTLS: not a TCP connection");
  deadline_.on_expiry(nullptr);
  TlsPeer peer{.server_name = tls_name(), .verify = !server_.tls.insecure_skip_verify};
  auto secured =
      co_await connect_tls(std::move(*socket), std::move(*context), std::move(peer), deadline_);
  if (!secured) co_return fail(std::move(secured).error());
  talk_over(std::move(*secured));
  encrypted_ = true;
  co_return co_await greet();
}

asio::awaitable<Status> Delivery::transfer() {
  std::string utf8;
  const auto beyond_ascii = [](const std::string& text) { return !is_ascii(text); };
  if (beyond_ascii(mail_.from) || std::any_of(mail_.to.begin(), mail_.to.end(), beyond_ascii)) {
    if (!extensions_.has("SMTPUTF8")) {
      co_return fail(Code::kFailedPrecondition,
                     "the server takes addresses of ASCII characters alone");
    }
    utf8 = " SMTPUTF8";
  }
  if (auto done = co_await expect("MAIL FROM:<" + mail_.from + ">" + utf8 + "\r\n", "MAIL", 250);
      !done) {
    co_return done;
  }
  for (const std::string& to : mail_.to) {
    if (auto done = co_await expect("RCPT TO:<" + to + ">\r\n", "RCPT", 250); !done)
      co_return fail(std::move(done).error().with_context(to));
  }
  if (auto done = co_await expect("DATA\r\n", "DATA", 354); !done) co_return done;
  co_return co_await expect(stuffed(mail_.text), "deliver", 250);
}

asio::awaitable<Status> Delivery::deliver() {
  if (auto done = co_await connect(); !done) co_return done;
  if (auto done = co_await expect("", "greeting", 220); !done) co_return done;
  if (auto done = co_await greet(); !done) co_return done;
  if (server_.require_tls && !encrypted_) {
    if (auto done = co_await start_tls(); !done) co_return done;
  }
  if (!login_.username.empty() && extensions_.has("AUTH")) {
    step_ = "AUTH";
    const bool trusted = encrypted_ || is_this_machine(server_.address.host);
    auto done = co_await log_in(*dialogue_, login_, extensions_.of("AUTH"), trusted);
    if (!done) co_return fail(std::move(done).error().with_context("AUTH"));
  }
  auto done = co_await transfer();
  if (deadline_.expired()) co_return done;
  // The mail is taken or refused by now: what becomes of the farewell does not matter.
  co_await dialogue_->say("QUIT\r\n");
  co_await dialogue_->transport().shutdown();
  co_return done;
}

}  // namespace

asio::awaitable<Status> send_mail(SmtpServer server, SmtpLogin login, Mail mail, FileSystem& files,
                                  milliseconds timeout) {
  Delivery delivery(std::move(server), std::move(login), std::move(mail), files,
                    co_await asio::this_coro::executor, timeout);
  co_return co_await delivery.run();
}

}  // namespace binnacle::net
