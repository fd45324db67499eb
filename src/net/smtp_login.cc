#include "net/smtp_login.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <fmt/format.h>

#include <array>
#include <sstream>

#include "net/base64.h"
#include "net/http.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;

std::string hmac_md5_hex(const std::string& key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
           &size) == nullptr) {
    return {};
  }
  std::string out;
  for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest.at(i));
  return out;
}

Status verdict(const Result<SmtpReply>& reply) {
  if (!reply) return fail(reply.error());
  if (reply->code != 235) return fail(reply->refusal());
  return {};
}

// What the server asks behind a 334; the text is of base64.
Result<std::string> challenge(const Result<SmtpReply>& reply) {
  if (!reply) return fail(reply.error());
  if (reply->code != 334) return fail(reply->refusal());
  auto text = decode_base64(reply->lines.front());
  if (!text) return fail(Code::kDataLoss, "the server's challenge is not base64");
  return std::move(*text);
}

asio::awaitable<Status> plain(SmtpDialogue& dialogue, const SmtpLogin& login) {
  const std::string text = login.identity + '\0' + login.username + '\0' + login.password;
  co_return verdict(co_await dialogue.ask("AUTH PLAIN " + encode_base64(text) + "\r\n"));
}

asio::awaitable<Status> by_questions(SmtpDialogue& dialogue, const SmtpLogin& login) {
  auto reply = co_await dialogue.ask("AUTH LOGIN\r\n");
  for (const std::string* answer : {&login.username, &login.password}) {
    if (auto asked = challenge(reply); !asked) co_return fail(std::move(asked).error());
    reply = co_await dialogue.ask(encode_base64(*answer) + "\r\n");
  }
  co_return verdict(reply);
}

asio::awaitable<Status> cram_md5(SmtpDialogue& dialogue, const SmtpLogin& login) {
  const auto asked = challenge(co_await dialogue.ask("AUTH CRAM-MD5\r\n"));
  if (!asked) co_return fail(asked.error());
  const std::string digest = hmac_md5_hex(login.secret, *asked);
  if (digest.empty()) co_return fail(Code::kUnimplemented, "this OpenSSL has no MD5");
  const std::string answer = login.username + " " + digest;
  co_return verdict(co_await dialogue.ask(encode_base64(answer) + "\r\n"));
}

}  // namespace

bool is_this_machine(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "::1";
}

asio::awaitable<Status> log_in(SmtpDialogue& dialogue, const SmtpLogin& login,
                               std::string mechanisms, bool trusted) {
  std::istringstream words(mechanisms);
  std::string word;
  while (words >> word) {
    if (equal_ignoring_case(word, "CRAM-MD5") && !login.secret.empty())
      co_return co_await cram_md5(dialogue, login);
    if (login.password.empty()) continue;
    if (equal_ignoring_case(word, "PLAIN")) {
      if (!trusted) {
        co_return fail(Code::kFailedPrecondition,
                       "PLAIN would send the password in plain text; let require_tls be true");
      }
      co_return co_await plain(dialogue, login);
    }
    if (equal_ignoring_case(word, "LOGIN")) co_return co_await by_questions(dialogue, login);
  }
  co_return fail(Code::kFailedPrecondition,
                 fmt::format("no way to log in: the server offers {}, and there is {}", mechanisms,
                             login.password.empty() && login.secret.empty()
                                 ? "neither auth_password nor auth_secret"
                                 : "no secret for these"));
}

}  // namespace binnacle::net
