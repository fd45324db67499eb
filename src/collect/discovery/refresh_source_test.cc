// Sources that are asked from time to time: what they read, what they keep when it fails, what they
// hand on.
#include "collect/discovery/refresh_source.h"

#include <gmock/gmock.h>

#include <deque>

#include "base/fault_file_system.h"
#include "base/mutex.h"
#include "collect/discovery/dns_refresher.h"
#include "collect/discovery/file_refresher.h"
#include "collect/discovery/http_refresher.h"
#include "net/coroutine_test_loop.h"

namespace binnacle::collect::discovery {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> addresses(const std::vector<model::TargetGroup>& groups) {
  std::vector<std::string> out;
  for (const auto& group : groups) {
    for (const auto& target : group.targets) out.emplace_back(target.get("__address__"));
  }
  return out;
}

model::TargetGroup group(const std::string& source, const std::string& address) {
  return {source, {model::Labels{{"__address__", address}}}, {}};
}

TEST(GroupChanges, NamesWhatIsNewOtherOrGone) {
  GroupChanges changes;
  EXPECT_EQ(changes.since_last({group("a", "1"), group("b", "2")}).size(), 2U);
  EXPECT_THAT(changes.since_last({group("a", "1"), group("b", "2")}), IsEmpty());
  const auto other = changes.since_last({group("b", "3")});
  ASSERT_EQ(other.size(), 2U);
  EXPECT_EQ(other[0].source, "b");
  EXPECT_EQ(other[1].source, "a");
  EXPECT_THAT(other[1].targets, IsEmpty());
}

class FileRefresherTest : public testing::Test {
 protected:
  FileRefresherTest() { CHECK(files_.create_directories("/t").has_value()); }
  void write(const std::string& path, const std::string& text) {
    CHECK(files_.write_file_atomically(path, text).has_value());
  }
  FaultFileSystem files_;
  ThreadPool pool_{"test", 1, 4};
  FileRefresher refresher_{{.files = {"/t/*.json", "/t/*.yml"}}, files_, pool_};
};

TEST_F(FileRefresherTest, ReadsJsonAndYaml) {
  write("/t/a.json", R"([{"targets":["a:1"],"labels":{"x":"y"}}])");
  write("/t/b.yml", "- targets: [b:2]\n");
  const Refreshed found = refresher_.read_files();
  EXPECT_FALSE(found.problem);
  EXPECT_THAT(addresses(found.groups), ElementsAre("a:1", "b:2"));
  EXPECT_EQ(found.groups[0].source, "/t/a.json:0");
  EXPECT_EQ(found.groups[0].labels, (model::Labels{{"__meta_filepath", "/t/a.json"}, {"x", "y"}}));
}

TEST_F(FileRefresherTest, ABrokenFileKeepsItsLastGoodGroupsAndAMissingOneLosesThem) {
  write("/t/a.json", R"([{"targets":["a:1"]}])");
  write("/t/b.yml", "- targets: [b:2]\n");
  (void)refresher_.read_files();
  write("/t/a.json", R"([{"targets":["a:2"]}])");
  write("/t/b.yml", "- target: [b:3]\n");
  const Refreshed broken = refresher_.read_files();
  EXPECT_THAT(addresses(broken.groups), ElementsAre("a:2", "b:2"));
  ASSERT_TRUE(broken.problem);
  EXPECT_THAT(broken.problem->message, HasSubstr("/t/b.yml:1: [0].target: unknown key"));
  ASSERT_TRUE(files_.remove("/t/b.yml"));
  const Refreshed gone = refresher_.read_files();
  EXPECT_FALSE(gone.problem);
  EXPECT_THAT(addresses(gone.groups), ElementsAre("a:2"));
}

class HttpRefresherTest : public testing::Test {
 protected:
  Result<Refreshed> refresh(const std::string& type, const std::string& body,
                            const std::string& status = "200 OK") {
    net::ScriptedPeer peer(loop_, [&](net::TestSocket& socket, int) -> asio::awaitable<void> {
      request_ = co_await net::read_request(socket);
      co_await net::say(socket, "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
                                    "\r\nContent-Length: " + std::to_string(body.size()) +
                                    "\r\n\r\n" + body);
    });
    url_ = peer.url("/sd?key=hidden");
    HttpRefresher refresher({.url = url_, .refresh_interval_ms = 5'000}, real_file_system(), clock_,
                            pool_);
    return loop_.run(refresher.refresh());
  }
  std::string problem_of(const std::string& type, const std::string& body,
                         const std::string& status = "200 OK") {
    const auto found = refresh(type, body, status);
    return found ? "" : found.error().message;
  }

  net::TestLoop loop_;
  SimulatedClock clock_;
  ThreadPool pool_{"test", 1, 4};
  std::string url_;
  std::string request_;
};

TEST_F(HttpRefresherTest, ReadsGroups) {
  const auto found =
      refresh("application/json; charset=UTF-8", R"([{"targets":["a:1"]},{"targets":["b:2"]}])");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(addresses(found->groups), ElementsAre("a:1", "b:2"));
  EXPECT_TRUE(found->groups[1].source.ends_with(":1"));
  EXPECT_EQ(found->groups[1].source.find("hidden"), std::string::npos);
  EXPECT_EQ(found->groups[1].labels.get("__meta_url"), url_);
  EXPECT_THAT(request_, HasSubstr("X-Prometheus-Refresh-Interval-Seconds: 5\r\n"));
}

TEST_F(HttpRefresherTest, RefusesOtherAnswers) {
  EXPECT_THAT(problem_of("text/html", "[]"), HasSubstr("content type"));
  EXPECT_THAT(problem_of("application/jsonx", "[]"), HasSubstr("content type"));
  EXPECT_THAT(problem_of("application/json", "<p>"), HasSubstr("/sd: target groups: not JSON"));
  const std::string failed = problem_of("application/json", "[]", "503 Busy");
  EXPECT_THAT(failed, HasSubstr("HTTP status 503"));
  EXPECT_THAT(failed, testing::Not(HasSubstr("hidden")));
}

TEST(DnsRefresher, MakesTargetsAndKeepsThemWhenANameFails) {
  net::TestLoop loop;
  ThreadPool pool("test", 1, 4);
  bool works = true;
  const auto lookup = [&works](const std::string& name, net::DnsType type) {
    EXPECT_EQ(type, net::DnsType::kSrv);
    if (!works && name == "_b.x") {
      return Result<std::vector<net::DnsRecord>>(fail(Code::kUnavailable, "no server"));
    }
    std::vector<net::DnsRecord> records;
    if (works || name != "_a.x") records.push_back({name.substr(1), 9100});
    return Result<std::vector<net::DnsRecord>>(std::move(records));
  };
  DnsRefresher refresher({.names = {"_a.x", "_b.x"}}, lookup, pool);
  const auto first = loop.run(refresher.refresh());
  ASSERT_TRUE(first);
  EXPECT_THAT(addresses(first->groups), ElementsAre("a.x:9100", "b.x:9100"));
  EXPECT_EQ(first->groups[0].targets[0], (model::Labels{{"__address__", "a.x:9100"},
                                                        {"__meta_dns_name", "_a.x"},
                                                        {"__meta_dns_srv_record_port", "9100"},
                                                        {"__meta_dns_srv_record_target", "a.x."}}));
  works = false;
  const auto second = loop.run(refresher.refresh());
  ASSERT_TRUE(second);
  EXPECT_THAT(addresses(second->groups), ElementsAre("b.x:9100"));
  EXPECT_EQ(second->problem->message, "no server");
}

TEST(DnsRefresher, WritesAddressesWithTheConfiguredPort) {
  net::TestLoop loop;
  ThreadPool pool("test", 1, 4);
  DnsRefresher refresher(
      {.names = {"x"}, .type = "AAAA", .port = 80},
      [](const std::string&, net::DnsType) {
        return Result<std::vector<net::DnsRecord>>(std::vector<net::DnsRecord>{{"::1"}});
      },
      pool);
  EXPECT_THAT(addresses(loop.run(refresher.refresh())->groups), ElementsAre("[::1]:80"));
}

// Answers from a list, the last one for ever.
class ScriptedRefresher final : public Refresher {
 public:
  explicit ScriptedRefresher(std::deque<Result<Refreshed>> answers)
      : answers_(std::move(answers)) {}
  asio::awaitable<Result<Refreshed>> refresh() override {
    auto answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    co_return answer;
  }

 private:
  std::deque<Result<Refreshed>> answers_;
};

TEST(RefreshSource, HandsOnChangesAndStopsAtOnce) {
  net::IoThreads io(1);
  io.start();
  Registry registry;
  SimulatedClock clock;
  MechanismInstruments instruments(registry, "test");
  SourceHealth health(clock, instruments);
  std::deque<Result<Refreshed>> answers;
  answers.push_back(Refreshed{{group("a", "1")}});
  answers.push_back(fail(Code::kUnavailable, "away"));
  answers.push_back(Refreshed{{group("a", "1")}});
  answers.push_back(Refreshed{{group("a", "2")}});
  RefreshSource source(std::make_unique<ScriptedRefresher>(std::move(answers)),
                       std::chrono::milliseconds(1), io, health);
  Mutex mu;
  CondVar changed;
  std::vector<std::string> seen;
  source.start([&](const std::vector<model::TargetGroup>& groups) {
    const MutexLock lock(mu);
    for (const auto& address : addresses(groups)) seen.push_back(address);
    changed.notify_all();
  });
  {
    const MutexLock lock(mu);
    while (seen.size() < 2) ASSERT_TRUE(changed.wait_for_ms(mu, 20'000));
    EXPECT_THAT(seen, ElementsAre("1", "2"));
  }
  source.stop();
  EXPECT_EQ(instruments.failures.value(), 1);
  EXPECT_EQ(health.state().last_error, "");
  EXPECT_EQ(health.state().last_success_ms, clock.wall_ms());

  // A rest of an hour does not hold it up.
  std::deque<Result<Refreshed>> failing;
  failing.push_back(fail(Code::kUnavailable, "away"));
  RefreshSource slow(std::make_unique<ScriptedRefresher>(std::move(failing)), std::chrono::hours(1),
                     io, health);
  slow.start([](const std::vector<model::TargetGroup>&) {});
  slow.stop();
}

TEST(RefreshSource, StopsInTheMiddleOfAnExchange) {
  net::IoThreads io(1);
  io.start();
  Registry registry;
  SystemClock clock;
  ThreadPool pool("test", 1, 4);
  MechanismInstruments instruments(registry, "http");
  SourceHealth health(clock, instruments);
  asio::io_context listening;
  asio::ip::tcp::acceptor silent(listening, {asio::ip::address_v4::loopback(), 0});
  const std::string url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  RefreshSource source(std::make_unique<HttpRefresher>(
                           HttpSdConfig{.url = url, .refresh_interval_ms = 3'600'000, .http = {}},
                           real_file_system(), clock, pool),
                       std::chrono::hours(1), io, health);
  source.start([](const std::vector<model::TargetGroup>&) {});
  auto connection = silent.accept();
  char byte;
  connection.read_some(asio::buffer(&byte, 1));  // the request is under way
  source.stop();
  boost::system::error_code error;
  std::string rest(1024, '\0');
  while (!error) connection.read_some(asio::buffer(rest), error);
  EXPECT_EQ(error, asio::error::eof);
}

}  // namespace
}  // namespace binnacle::collect::discovery
