#include "net/dns_query.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstring>
#include <list>
#include <memory>
#include <utility>

#include "net/deadline.h"

namespace binnacle::net {
namespace {

namespace asio = boost::asio;
namespace ip = boost::asio::ip;
using asio::posix::stream_descriptor;

constexpr int kMaxAddresses = 1'024;  // more do not fit into an answer's 64 KiB

Unexpected no_answer(const std::string& name, int status) {
  return fail(Code::kUnavailable, "DNS query for " + name + ": " + ares_strerror(status));
}

struct Closer {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, Closer>;

Result<Channel> open_channel(const DnsOptions& options) {
  ares_options chosen{};
  chosen.timeout = options.timeout_ms;
  chosen.tries = options.tries;
  ares_channel raw = nullptr;
  int status = ares_init_options(&raw, &chosen, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status != ARES_SUCCESS) return no_answer("any name", status);
  Channel channel(raw);
  if (!options.servers.empty()) {
    status = ares_set_servers_ports_csv(channel.get(), options.servers.c_str());
    if (status != ARES_SUCCESS) return no_answer("any name", status);
  }
  return channel;
}

struct Answer {
  bool done = false;
  int status = ARES_ETIMEOUT;
  std::vector<unsigned char> bytes;
};

void take_answer(void* where, int status, int /*timeouts*/, unsigned char* bytes, int size) {
  auto& answer = *static_cast<Answer*>(where);
  answer.done = true;
  answer.status = status;
  if (status == ARES_SUCCESS) answer.bytes.assign(bytes, bytes + size);
}

// Ends by itself: every query has a time limit, which ares_process_fd() looks at.
void run(ares_channel channel, const Answer& answer) {
  while (!answer.done) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int wanted = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
    std::vector<pollfd> waits;
    for (unsigned i = 0; i < sockets.size(); ++i) {
      short events = 0;
      if (ARES_GETSOCK_READABLE(wanted, i)) events |= POLLIN;
      if (ARES_GETSOCK_WRITABLE(wanted, i)) events |= POLLOUT;
      if (events != 0) waits.push_back({sockets[i], events, 0});
    }
    timeval longest{1, 0};
    timeval room{};
    const timeval* limit = ares_timeout(channel, &longest, &room);
    const int limit_ms = static_cast<int>(limit->tv_sec * 1000 + limit->tv_usec / 1000) + 1;
    ::poll(waits.data(), waits.size(), limit_ms);
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (const pollfd& wait : waits) {
      const bool readable = (wait.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      const bool writable = (wait.revents & POLLOUT) != 0;
      if (answer.done || (!readable && !writable)) continue;
      ares_process_fd(channel, readable ? wait.fd : ARES_SOCKET_BAD,
                      writable ? wait.fd : ARES_SOCKET_BAD);
    }
  }
}

// One wait for any of c-ares' sockets, or for the time to look at its own limits again. Shared with
// the handlers, which may come late.
struct SocketWait {
  explicit SocketWait(const asio::any_io_executor& executor) : wake(executor) {}
  // c-ares owns the sockets and may close them once it goes on.
  ~SocketWait() { release(); }
  void release() {
    for (auto& one : sockets) one.release();
    sockets.clear();
  }

  asio::steady_timer wake;
  std::list<stream_descriptor> sockets;
  std::vector<std::pair<int, bool>> ready;  // a socket, and whether it may be written
};

void wait_for(const std::shared_ptr<SocketWait>& wait, int socket, bool for_writing) {
  auto& one = wait->sockets.emplace_back(wait->wake.get_executor(), socket);
  one.async_wait(for_writing ? stream_descriptor::wait_write : stream_descriptor::wait_read,
                 [wait, socket, for_writing](const boost::system::error_code& error) {
                   if (error) return;
                   wait->ready.emplace_back(socket, for_writing);
                   wait->wake.cancel();
                 });
}

asio::awaitable<void> run_here(ares_channel channel, const Answer& answer, const Deadline& deadline,
                               std::shared_ptr<SocketWait> wait) {
  while (!answer.done && !deadline.expired()) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int wanted = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
    for (unsigned i = 0; i < sockets.size(); ++i) {
      // A connection that is being made is told by being writable.
      const bool writing = ARES_GETSOCK_WRITABLE(wanted, i) != 0;
      if (writing || ARES_GETSOCK_READABLE(wanted, i)) wait_for(wait, sockets[i], writing);
    }
    timeval longest{1, 0};
    timeval room{};
    const timeval* limit = ares_timeout(channel, &longest, &room);
    wait->wake.expires_after(std::chrono::seconds(limit->tv_sec) +
                             std::chrono::microseconds(limit->tv_usec + 1'000));
    co_await wait->wake.async_wait(asio::as_tuple(asio::use_awaitable));
    wait->release();
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (const auto& [socket, writable] : std::exchange(wait->ready, {})) {
      if (answer.done) break;
      ares_process_fd(channel, writable ? ARES_SOCKET_BAD : socket,
                      writable ? socket : ARES_SOCKET_BAD);
    }
  }
}

template <typename Record>
struct Freer {
  void operator()(Record* list) const { ares_free_data(list); }
};

template <typename Record, typename Parse, typename Each>
int read_list(const Answer& answer, Parse parse, Each each) {
  Record* raw = nullptr;
  const int status = parse(answer.bytes.data(), static_cast<int>(answer.bytes.size()), &raw);
  const std::unique_ptr<Record, Freer<Record>> list(raw);
  if (status != ARES_SUCCESS) return status;
  for (const Record* record = raw; record != nullptr; record = record->next) each(*record);
  return status;
}

int read_addresses(const Answer& answer, bool six, std::vector<DnsRecord>& records) {
  const auto size = static_cast<int>(answer.bytes.size());
  int count = kMaxAddresses;
  if (six) {
    std::vector<ares_addr6ttl> found(kMaxAddresses);
    const int status =
        ares_parse_aaaa_reply(answer.bytes.data(), size, nullptr, found.data(), &count);
    for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
      ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &found[static_cast<size_t>(i)].ip6addr, bytes.size());
      records.push_back({ip::make_address_v6(bytes).to_string()});
    }
    return status;
  }
  std::vector<ares_addrttl> found(kMaxAddresses);
  const int status = ares_parse_a_reply(answer.bytes.data(), size, nullptr, found.data(), &count);
  for (int i = 0; status == ARES_SUCCESS && i < count; ++i) {
    ip::address_v4::bytes_type bytes;
    std::memcpy(bytes.data(), &found[static_cast<size_t>(i)].ipaddr, bytes.size());
    records.push_back({ip::make_address_v4(bytes).to_string()});
  }
  return status;
}

int read_name_servers(const Answer& answer, std::vector<DnsRecord>& records) {
  hostent* raw = nullptr;
  const int status =
      ares_parse_ns_reply(answer.bytes.data(), static_cast<int>(answer.bytes.size()), &raw);
  if (status != ARES_SUCCESS) return status;
  const std::unique_ptr<hostent, decltype(&ares_free_hostent)> found(raw, ares_free_hostent);
  for (char** name = found->h_aliases; *name != nullptr; ++name) records.push_back({*name});
  return status;
}

int read_records(const Answer& answer, DnsType type, std::vector<DnsRecord>& records) {
  switch (type) {
    case DnsType::kA:
      return read_addresses(answer, false, records);
    case DnsType::kAaaa:
      return read_addresses(answer, true, records);
    case DnsType::kSrv:
      return read_list<ares_srv_reply>(answer, ares_parse_srv_reply, [&](const auto& record) {
        records.push_back({record.host, record.port});
      });
    case DnsType::kMx:
      return read_list<ares_mx_reply>(answer, ares_parse_mx_reply, [&](const auto& record) {
        records.push_back({record.host});
      });
    case DnsType::kNs:
      return read_name_servers(answer, records);
  }
  return ARES_EBADQUERY;
}

int wire_type(DnsType type) {
  switch (type) {
    case DnsType::kA:
      return ns_t_a;
    case DnsType::kAaaa:
      return ns_t_aaaa;
    case DnsType::kSrv:
      return ns_t_srv;
    case DnsType::kMx:
      return ns_t_mx;
    case DnsType::kNs:
      return ns_t_ns;
  }
  return ns_t_a;
}

bool says_nothing_there(int status) { return status == ARES_ENOTFOUND || status == ARES_ENODATA; }

Result<std::vector<DnsRecord>> records_of(const Answer& answer, const std::string& name,
                                          DnsType type) {
  std::vector<DnsRecord> records;
  int status = answer.status;
  if (status == ARES_SUCCESS) status = read_records(answer, type, records);
  if (status != ARES_SUCCESS && !says_nothing_there(status)) return no_answer(name, status);
  return records;
}

}  // namespace

Status check_dns_servers(const std::string& servers) {
  DnsOptions options;
  options.servers = servers;
  if (open_channel(options)) return {};
  return fail(Code::kInvalidArgument,
              "no name servers: write addresses like 10.0.0.2 or 10.0.0.2:5353 (" + servers + ")");
}

Result<std::vector<DnsRecord>> query_dns(const std::string& name, DnsType type,
                                         const DnsOptions& options) {
  TRY_ASSIGN(const Channel channel, open_channel(options));
  Answer answer;
  ares_search(channel.get(), name.c_str(), ns_c_in, wire_type(type), take_answer, &answer);
  run(channel.get(), answer);
  return records_of(answer, name, type);
}

asio::awaitable<Result<std::vector<DnsRecord>>> ask_dns(std::string name, DnsType type,
                                                        DnsOptions options,
                                                        std::chrono::milliseconds limit) {
  Answer answer;  // before the channel, whose end calls back
  const auto channel = open_channel(options);
  if (!channel) co_return fail(channel.error());
  const auto executor = co_await asio::this_coro::executor;
  const auto wait = std::make_shared<SocketWait>(executor);
  const Deadline deadline(executor, limit, [&wait] { wait->wake.cancel(); });
  ares_search(channel->get(), name.c_str(), ns_c_in, wire_type(type), take_answer, &answer);
  co_await run_here(channel->get(), answer, deadline, wait);
  if (!answer.done) {
    co_return fail(Code::kDeadlineExceeded,
                   fmt::format("DNS query for {}: no answer in time ({} ms)", name, limit.count()));
  }
  co_return records_of(answer, name, type);
}

}  // namespace binnacle::net
