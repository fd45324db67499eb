#include "watch/alerts/receivers/mail_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/template_escape.h"
#include "net/http.h"
#include "watch/alerts/receivers/mime_text.h"
#include "watch/alerts/receivers/notification_text.h"
#include "watch/alerts/receivers/text_expander.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kDefaultSubject = R"({{ template "email.default.subject" . }})";
constexpr size_t kThreadDigits = 16;
constexpr size_t kIdDigits = 40;

std::string mail_date(int64_t wall_ms) {
  const std::chrono::sys_time<std::chrono::seconds> time{std::chrono::seconds(wall_ms / 1000)};
  return fmt::format("{:%a, %d %b %Y %H:%M:%S +0000}", time);
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return c > ' ' && c < '\x7f' && c != ':'; });
}

bool holds_addresses(std::string_view name) {
  for (const std::string_view one : {"From", "To", "Cc", "Bcc", "Reply-To", "Sender"}) {
    if (net::equal_ignoring_case(name, one)) return true;
  }
  return false;
}

class Header {
 public:
  explicit Header(TextExpander& expander) : expander_(expander) {}

  Status add_configured(const std::string& name, std::string_view source) {
    if (!is_header_name(name))
      return fail(Code::kInvalidArgument, "email: not a header's name (" + name + ")");
    const std::string value = expander_.text("email header " + name, source);
    TRY(expander_.status());
    if (!holds_addresses(name)) {
      add(name, header_text(value));
      return {};
    }
    auto addresses = parse_addresses(value);
    if (!addresses) return fail(std::move(addresses).error().with_context("email header " + name));
    add(name, address_header(*addresses));
    return {};
  }
  void add(std::string_view name, std::string_view value) {
    names_.emplace_back(name);
    text_ += fmt::format("{}: {}\r\n", name, value);
  }
  void add_unless_there(std::string_view name, std::string_view value) {
    const bool there = std::any_of(names_.begin(), names_.end(), [&](const std::string& one) {
      return net::equal_ignoring_case(one, name);
    });
    if (!there) add(name, value);
  }
  const std::string& text() const { return text_; }

 private:
  TextExpander& expander_;
  std::vector<std::string> names_;
  std::string text_;
};

bool configured(const EmailConfig& config, std::string_view name) {
  return std::any_of(config.headers.begin(), config.headers.end(), [&](const auto& header) {
    return net::equal_ignoring_case(header.first, name);
  });
}

// With the context before the end of the page.
std::string html_body(const EmailConfig& config, const Notification& told, TextExpander& expander) {
  std::string html = expander.html("email html", config.html);
  if (told.context.empty()) return html;
  std::string more = "<p>";
  for (const auto& [name, value] : told.context)
    more += template_html_escape(name) + ": " + template_html_escape(value) + "<br>\n";
  more += "</p>\n";
  const size_t end = html.rfind("</body>");
  return html.insert(end == std::string::npos ? html.size() : end, more);
}

std::string text_body(const EmailConfig& config, const Notification& told, TextExpander& expander) {
  std::string text = expander.text("email text", config.text);
  if (const std::string more = context_lines(told); !more.empty()) text += "\n\n" + more + "\n";
  return text;
}

std::string part(const std::string& boundary, std::string_view type, std::string_view text) {
  return fmt::format(
      "--{}\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: {}; "
      "charset=UTF-8\r\n\r\n{}\r\n",
      boundary, type, quoted_printable(text));
}

}  // namespace

Result<net::Mail> mail_of(const EmailConfig& config, const Notification& notification,
                          const NotificationTemplates& templates, const std::string& dedup,
                          const std::string& host_name) {
  TextExpander expander(templates, notification);
  TRY_ASSIGN(const auto from, parse_addresses(expander.text("email from", config.from)));
  TRY_ASSIGN(const auto to, parse_addresses(expander.text("email to", config.to)));
  TRY(expander.status());
  if (from.size() != 1)
    return fail(Code::kInvalidArgument, "email: from must be one address (" + config.from + ")");

  Header header(expander);
  for (const auto& [name, source] : config.headers) TRY(header.add_configured(name, source));
  if (!configured(config, "Subject")) TRY(header.add_configured("Subject", kDefaultSubject));
  header.add_unless_there("To", address_header(to));
  header.add_unless_there("From", address_header(from));
  header.add_unless_there("Message-Id",
                          fmt::format("<{}@{}>", dedup.substr(0, kIdDigits), host_name));
  const std::string thread =
      fmt::format("<alert-{}@{}>", group_hash(notification).substr(0, kThreadDigits), host_name);
  header.add_unless_there("References", thread);
  header.add_unless_there("In-Reply-To", thread);
  header.add_unless_there("Date", mail_date(notification.now_ms));
  header.add_unless_there("Auto-Submitted", "auto-generated");  // RFC 3834: nobody is away for us

  // Quoted-printable text never has "=_" in it.
  const std::string boundary = "=_" + dedup.substr(0, kIdDigits);
  net::Mail mail;
  mail.from = from.front().address;
  for (const MailAddress& one : to) mail.to.push_back(one.address);
  mail.text = header.text() + "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n" +
              " boundary=\"" + boundary + "\"\r\n\r\n";
  if (!config.text.empty())
    mail.text += part(boundary, "text/plain", text_body(config, notification, expander));
  if (!config.html.empty())
    mail.text += part(boundary, "text/html", html_body(config, notification, expander));
  TRY(expander.status());
  mail.text += "--" + boundary + "--\r\n";
  return mail;
}

}  // namespace binnacle::watch::alerts
