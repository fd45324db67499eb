#include "watch/alerts/receivers/mail_text.h"

#include <gtest/gtest.h>

#include "watch/alerts/receivers/mime_text.h"
#include "watch/alerts/testing/receiver_fixture.h"

namespace binnacle::watch::alerts {
namespace {

TEST(MimeText, QuotedPrintable) {
  EXPECT_EQ(quoted_printable("a=b\nü \nx\t"), "a=3Db\r\n=C3=BC=20\r\nx=09");
  const std::string folded = quoted_printable(std::string(100, 'x'));
  EXPECT_EQ(folded, std::string(75, 'x') + "=\r\n" + std::string(25, 'x'));
  EXPECT_EQ(quoted_printable("a\r\nb\rc"), "a\r\nb=0Dc");
}

TEST(MimeText, HeadersCannotBeBrokenOutOf) {
  EXPECT_EQ(header_text("[FIRING:1] x"), "[FIRING:1] x");
  EXPECT_EQ(header_text("a\r\nBcc: b@c"), "=?utf-8?q?a=0D=0ABcc=3A_b=40c?=");
  EXPECT_EQ(header_text("=?x"), "=?utf-8?q?=3D=3Fx?=");
  std::string longer;
  for (int i = 0; i < 40; ++i) longer += "ü";
  const std::string words = header_text(longer);
  for (size_t from = 0; from < words.size();) {
    const size_t end = std::min(words.find("\r\n", from), words.size());
    EXPECT_LE(end - from, 76);
    from = end + 2;
  }
  EXPECT_NE(words.find("?=\r\n =?utf-8?q?"), std::string::npos) << words;
}

TEST(MimeText, Addresses) {
  const auto list = parse_addresses(R"(a@b, Ops Team <c@d>,"Last, \"First\"" <e@f>, Jörg <j@k>)");
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->size(), 4);
  EXPECT_EQ((*list)[1].name, "Ops Team");
  EXPECT_EQ((*list)[2].name, R"(Last, "First")");
  EXPECT_EQ((*list)[2].address, "e@f");
  EXPECT_EQ(address_header(*list),
            "a@b,\r\n \"Ops Team\" <c@d>,\r\n \"Last, \\\"First\\\"\" <e@f>,\r\n "
            "=?utf-8?q?J=C3=B6rg?= <j@k>");
  for (const char* bad : {"", "a", "a@", "@b", "a@b c@d", "a@b\r\nRCPT", "<a@b", "x <>"})
    EXPECT_FALSE(parse_addresses(bad)) << bad;
}

class MailText : public testing::Test {
 protected:
  Result<net::Mail> mail(const EmailConfig& config,
                         const Notification& told = test_notification()) {
    return mail_of(config, told, {templates_, test_template_data}, std::string(64, 'd'), "h.test");
  }
  EmailConfig config() {
    EmailConfig out;
    out.to = "a@b, c@d";
    out.from = "Binnacle <e@f>";
    out.html = "<body>{{ .GroupLabels.alertname }}</body>";
    out.headers = {{"Subject", "{{ .Status }} ü"}};
    return out;
  }
  const std::shared_ptr<TemplateSet> templates_ = std::make_shared<TemplateSet>();
};

TEST_F(MailText, IsWhole) {
  EmailConfig both = config();
  both.text = "text";
  Notification told = test_notification();
  told.context = {{"value", "<7>"}};
  const auto made = mail(both, told);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->from, "e@f");
  EXPECT_EQ(made->to, (std::vector<std::string>{"a@b", "c@d"}));
  const std::string id(40, 'd');
  const size_t thread = made->text.find("References: ");
  ASSERT_NE(thread, std::string::npos) << made->text;
  const std::string root =
      made->text.substr(thread + 12, made->text.find('\r', thread) - thread - 12);
  EXPECT_EQ(
      made->text,
      "Subject: =?utf-8?q?firing_=C3=BC?=\r\nTo: a@b,\r\n c@d\r\nFrom: \"Binnacle\" <e@f>\r\n"
      "Message-Id: <" +
          id + "@h.test>\r\nReferences: " + root + "\r\nIn-Reply-To: " + root +
          "\r\nDate: Fri, 02 Jan 2026 03:04:06 +0000\r\nAuto-Submitted: auto-generated\r\n"
          "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"=_" +
          id + "\"\r\n\r\n--=_" + id +
          "\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; "
          "charset=UTF-8\r\n\r\ntext\r\n\r\nvalue: <7>\r\n\r\n--=_" +
          id +
          "\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; "
          "charset=UTF-8\r\n\r\n<body>Disk&lt;Full&gt;<p>value: &lt;7&gt;<br>\r\n</p>\r\n</body>"
          "\r\n--=_" +
          id + "--\r\n");
}

TEST_F(MailText, WhatIsConfiguredStandsAlone) {
  EmailConfig own = config();
  own.headers = {{"Subject", "s"}, {"Message-Id", "<own>"}, {"To", "Team <t@x>"}};
  const auto made = mail(own);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_NE(made->text.find("Message-Id: <own>\r\n"), std::string::npos);
  EXPECT_EQ(made->text.find("@h.test>\r\nReferences"), std::string::npos);
  EXPECT_NE(made->text.find("To: \"Team\" <t@x>\r\n"), std::string::npos);
  EXPECT_EQ(made->to.size(), 2);
}

TEST_F(MailText, SaysWhatIsWrong) {
  EmailConfig two = config();
  two.from = "a@b, c@d";
  EXPECT_FALSE(mail(two));
  EmailConfig nobody = config();
  nobody.to = "{{ .Nothing }}";
  EXPECT_FALSE(mail(nobody));
  EmailConfig broken = config();
  broken.headers = {{"X: y", "z"}};
  EXPECT_FALSE(mail(broken));
}

}  // namespace
}  // namespace binnacle::watch::alerts
