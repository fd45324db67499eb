#include "collect/host/linux/mount_probe.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/mutex.h"

namespace binnacle::collect::host {
namespace {

constexpr int64_t kLongMs = 60'000;  // never waited for in full: the answers come

// File systems of which some hang until they are let go, as those of a dead NFS server do. Shared
// with threads that the probe leaves behind.
class Servers {
 public:
  Result<MountUsage> ask(const std::string& path) {
    MutexLock lock(mu_);
    ++asked_[path];
    changed_.notify_all();
    while (hanging_.contains(path)) changed_.wait(mu_);
    if (path == "/broken") return fail(Code::kUnavailable, "statfs /broken: Input/output error");
    return MountUsage{.size_bytes = 100.0 + asked_[path]};
  }
  void hang(const std::string& path) {
    MutexLock lock(mu_);
    hanging_.insert(path);
  }
  void let_go(const std::string& path) {
    MutexLock lock(mu_);
    hanging_.erase(path);
    changed_.notify_all();
  }
  int asked(const std::string& path) {
    MutexLock lock(mu_);
    return asked_[path];
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::set<std::string> hanging_ GUARDED_BY(mu_);
  std::map<std::string, int> asked_ GUARDED_BY(mu_);
};

class MountProbeTest : public testing::Test {
 protected:
  ~MountProbeTest() override {
    for (const char* path : {"/nfs", "/nfs2", "/nfs3"}) servers_->let_go(path);
  }
  std::unique_ptr<MountProbe> probe(MountProbe::Options options) {
    return std::make_unique<MountProbe>(
        options, clock_,
        [servers = servers_](const std::string& path) { return servers->ask(path); });
  }

  SimulatedClock clock_;
  std::shared_ptr<Servers> servers_ = std::make_shared<Servers>();
};

TEST_F(MountProbeTest, AnswersInTheOrderOfTheQuestions) {
  const auto mounts = probe({.wait_ms = kLongMs});
  const auto answers = mounts->ask({"/b", "/broken", "/a"});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].value()->size_bytes, 101);
  ASSERT_TRUE(answers[1]);
  EXPECT_FALSE(answers[1]->has_value());
  EXPECT_EQ(answers[2].value()->size_bytes, 101);
  EXPECT_EQ(mounts->ask({"/b"})[0].value()->size_bytes, 102);
  EXPECT_EQ(servers_->asked("/a"), 1);
}

TEST_F(MountProbeTest, AMountThatHangsCostsTheOthersNothing) {
  servers_->hang("/nfs");
  servers_->hang("/nfs2");
  const auto mounts = probe({.wait_ms = 500});
  const auto answers = mounts->ask({"/nfs", "/nfs2", "/a", "/b"});
  EXPECT_FALSE(answers[0]);
  EXPECT_FALSE(answers[1]);
  EXPECT_TRUE(answers[2] && answers[2]->has_value());
  EXPECT_TRUE(answers[3] && answers[3]->has_value());
}

TEST_F(MountProbeTest, AHangingMountIsNotAskedAgainUntilItAnswers) {
  servers_->hang("/nfs");
  const auto mounts = probe({.wait_ms = 50});
  EXPECT_FALSE(mounts->ask({"/nfs"})[0]);
  EXPECT_FALSE(mounts->ask({"/nfs"})[0]);
  EXPECT_LE(servers_->asked("/nfs"), 1);
  servers_->let_go("/nfs");
  // The next question is a new one as soon as the old one is closed; ask until then.
  const auto patient = [&] {
    for (;;) {
      if (auto answers = mounts->ask({"/nfs"}); answers[0]) return *answers[0];
    }
  };
  EXPECT_TRUE(patient().has_value());
}

TEST_F(MountProbeTest, ASlowMountAnswersWithWhatItSaidLastUntilItIsStuck) {
  const auto mounts = probe({.wait_ms = 100, .stuck_ms = 5000});
  while (!mounts->ask({"/nfs"})[0]) {
  }
  const int before = servers_->asked("/nfs");
  servers_->hang("/nfs");
  const auto old = mounts->ask({"/nfs"})[0];
  ASSERT_TRUE(old && old->has_value());
  EXPECT_EQ((*old)->size_bytes, 100 + before);
  clock_.advance_ms(5000);
  EXPECT_FALSE(mounts->ask({"/nfs"})[0]);
}

TEST_F(MountProbeTest, ThreadsAreBounded) {
  for (const char* path : {"/nfs", "/nfs2", "/nfs3"}) servers_->hang(path);
  const auto mounts = probe({.wait_ms = 300, .max_threads = 2});
  const auto answers = mounts->ask({"/nfs", "/nfs2", "/nfs3", "/a"});
  for (const auto& answer : answers) EXPECT_FALSE(answer);
  EXPECT_EQ(servers_->asked("/nfs3") + servers_->asked("/a"), 0);
}

TEST_F(MountProbeTest, EndsWhileAMountHangs) {
  servers_->hang("/nfs");
  auto mounts = probe({.wait_ms = 50});
  EXPECT_FALSE(mounts->ask({"/nfs"})[0]);
  mounts.reset();  // returns; the thread left behind ends once the server answers
}

TEST(AskStatfs, TellsTheSizeOfARealFileSystemAndWhyNot) {
  const auto root = ask_statfs("/");
  ASSERT_TRUE(root);
  EXPECT_GT(root->size_bytes, 0);
  EXPECT_GE(root->free_bytes, root->available_bytes);
  const auto none = ask_statfs("/no/such/mount");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace binnacle::collect::host
