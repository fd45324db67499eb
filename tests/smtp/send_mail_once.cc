// Hands one mail, read from the standard input, to a server and says how it went.
// usage: send_mail_once PORT starttls|tls|plain CA_FILE USERNAME PASSWORD SECRET TO...
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <string_view>

#include "net/smtp_client.h"

int main(int argc, char** argv) {
  using namespace binnacle;
  using namespace binnacle::net;
  if (argc < 8) return 2;
  SmtpServer server;
  server.address = {"127.0.0.1", static_cast<uint16_t>(std::atoi(argv[1]))};
  const std::string_view mode = argv[2];
  server.implicit_tls = mode == "tls";
  server.require_tls = mode != "plain";
  server.tls.ca_file = argv[3];
  const SmtpLogin login{
      .username = argv[4], .identity = "", .password = argv[5], .secret = argv[6]};
  Mail mail;
  mail.from = "from@host.test";
  for (int i = 7; i < argc; ++i) mail.to.emplace_back(argv[i]);
  mail.text.assign(std::istreambuf_iterator<char>(std::cin), {});

  boost::asio::io_context io{1};
  std::optional<Status> done;
  boost::asio::co_spawn(io,
                        send_mail(std::move(server), login, std::move(mail), real_file_system(),
                                  std::chrono::milliseconds(10'000)),
                        [&done](const std::exception_ptr&, Status status) { done = status; });
  while (!done) io.run_one();
  std::printf("%s\n", *done ? "sent" : done->error().message.c_str());
  return *done ? 0 : 1;
}
