#include "watch/alerts/receivers/email_notifier.h"

#include <vector>

#include "net/run_on_pool.h"
#include "net/smtp_client.h"
#include "watch/alerts/receivers/mail_text.h"
#include "watch/alerts/receivers/notification_text.h"

namespace binnacle::watch::alerts {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr uint16_t kImplicitTlsPort = 465;

struct Letter {
  net::SmtpServer server;
  net::SmtpLogin login;
  net::Mail mail;
};

SendOutcome retry(std::string message) {
  return {.kind = SendOutcome::Kind::kRetry, .message = std::move(message)};
}

}  // namespace

struct EmailNotifier::State {
  Result<net::SmtpServer> server() const;
  Result<Letter> prepare(const Notification& notification) const;
  static asio::awaitable<SendOutcome> attempt(std::shared_ptr<const State> state, Notification told,
                                              int64_t timeout_ms);

  // Fixed after construction
  const EmailConfig config;
  const MailTools tools;
};

Result<net::SmtpServer> EmailNotifier::State::server() const {
  net::SmtpServer out;
  TRY_ASSIGN(out.address, net::parse_host_port(config.smarthost));
  out.implicit_tls = config.implicit_tls.value_or(out.address.port == kImplicitTlsPort);
  out.require_tls = config.require_tls;
  out.tls.ca_file = config.ca_file;
  out.tls.server_name = config.server_name;
  out.tls.insecure_skip_verify = config.insecure_skip_verify;
  if (!config.hello.empty()) out.hello = config.hello;
  return out;
}

Result<Letter> EmailNotifier::State::prepare(const Notification& notification) const {
  Letter out;
  TRY_ASSIGN(out.server, server());
  out.login.username = config.auth_username;
  out.login.identity = config.auth_identity;
  TRY_ASSIGN(out.login.password, read_secret(tools.files, config.auth_password));
  TRY_ASSIGN(out.login.secret, read_secret(tools.files, config.auth_secret));
  TRY_ASSIGN(out.mail, mail_of(config, notification, tools.templates,
                               dedup_key(notification, tools.dedup_scope), tools.host_name));
  return out;
}

asio::awaitable<SendOutcome> EmailNotifier::State::attempt(std::shared_ptr<const State> state,
                                                           Notification told, int64_t timeout_ms) {
  // Owns all that the pool needs, since nobody may be waiting any more.
  struct Preparation {
    std::shared_ptr<const State> state;
    Notification told;
    Result<Letter> letter;
  };
  const Clock& clock = state->tools.clock;
  const int64_t until_ms = clock.monotonic_ms() + timeout_ms;
  const auto work = std::make_shared<Preparation>(state, std::move(told), Letter{});
  const auto done = co_await net::run_on_pool(state->tools.pool, milliseconds(timeout_ms), [work] {
    work->letter = work->state->prepare(work->told);
  });
  if (!done) co_return retry("prepare the mail: " + done.error().message);
  if (!work->letter) co_return refusal(work->letter.error());

  Letter& letter = *work->letter;
  const std::vector<std::string> secrets{letter.login.password, letter.login.secret};
  const int64_t left_ms = until_ms - clock.monotonic_ms();
  if (left_ms <= 0) co_return retry("prepare the mail: not done in time");
  const auto sent =
      co_await net::send_mail(std::move(letter.server), std::move(letter.login),
                              std::move(letter.mail), state->tools.files, milliseconds(left_ms));
  if (sent) co_return SendOutcome{};
  SendOutcome out = retry(without_secrets(sent.error().message, "", secrets));
  if (sent.error().code == Code::kInvalidArgument) out.kind = SendOutcome::Kind::kFailed;
  co_return out;
}

EmailNotifier::EmailNotifier(EmailConfig config, MailTools tools)
    : state_(std::make_shared<const State>(std::move(config), std::move(tools))) {}

asio::awaitable<SendOutcome> EmailNotifier::send(const Notification& notification,
                                                 int64_t timeout_ms) {
  return State::attempt(state_, notification, timeout_ms);
}

}  // namespace binnacle::watch::alerts
