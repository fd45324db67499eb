#include <gtest/gtest.h>

#include <string>

#include "engine/pipeline/worker_fixture.h"
#include "net/test_certificates.h"

namespace binnacle::engine {
namespace {

class WorkerTlsTest : public testing::Test {
 protected:
  WorkerTlsTest() : folder_(testing::TempDir() + "/tls-" + secure_random_hex(8)) {
    EXPECT_TRUE(real_file_system().create_directories(folder_));
  }
  ~WorkerTlsTest() override { EXPECT_TRUE(real_file_system().remove_all(folder_)); }

  std::string file(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(real_file_system().write_file_atomically(folder_ + "/" + name, text));
    return folder_ + "/" + name;
  }
  // What `who` shows, signed by `authority`; it trusts `trusted`.
  PipelineTls files_of(const std::string& who, const net::TestAuthority& authority,
                       const net::TestAuthority& trusted) const {
    const auto pair = authority.issue(who, "IP:127.0.0.1");
    return {.certificate_file = file(who + ".pem", pair.certificate),
            .key_file = file(who + ".key", pair.key),
            .ca_file = file(who + ".ca", trusted.certificate())};
  }
  static Status load_over(const TestWorker& worker, const PipelineTls& tls) {
    const auto remote = connect_to(worker.server->address(), {.tls = tls});
    return load_on(*remote, order_of({0, 6}));
  }

  const net::TestAuthority ours_{"ours"};
  const net::TestAuthority theirs_{"theirs"};
  std::string folder_;
};

TEST_F(WorkerTlsTest, BothEndsAreHeldToTheirCertificates) {
  TestWorker worker({.tls = files_of("worker", ours_, ours_)});
  const Status good = load_over(worker, files_of("orchestrator", ours_, ours_));
  EXPECT_TRUE(good) << good.error().message;
  const Status stranger = load_over(worker, files_of("stranger", theirs_, ours_));
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, Code::kUnavailable) << stranger.error().message;
  const Status distrusts = load_over(worker, files_of("careful", ours_, theirs_));
  ASSERT_FALSE(distrusts);
  EXPECT_EQ(distrusts.error().code, Code::kUnavailable) << distrusts.error().message;
  EXPECT_FALSE(load_over(worker, {}));
}

TEST_F(WorkerTlsTest, WrongFilesAreNamed) {
  Registry registry;
  SystemClock clock;
  TestWorker other;
  const auto error_of = [&](const PipelineTls& tls) {
    const auto opened =
        WorkerServer::open({.tls = tls}, {}, other.stage(), real_file_system(), clock, registry);
    return opened ? "" : opened.error().message;
  };
  PipelineTls tls = files_of("worker", ours_, ours_);
  tls.key_file = file("other.key", ours_.issue("other", "").key);
  EXPECT_NE(error_of(tls).find("other.key"), std::string::npos) << error_of(tls);
  tls.key_file.clear();
  EXPECT_NE(error_of(tls).find("three files"), std::string::npos) << error_of(tls);
  tls.key_file = folder_ + "/none.key";
  EXPECT_NE(error_of(tls).find("none.key"), std::string::npos) << error_of(tls);
}

}  // namespace
}  // namespace binnacle::engine
