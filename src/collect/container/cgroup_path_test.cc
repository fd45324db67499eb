#include "collect/container/cgroup_path.h"

#include <gtest/gtest.h>

namespace binnacle::collect::container {
namespace {

const std::string kId(64, 'a');
constexpr std::string_view kUid = "8ae1b2c3-0d1e-4f2a-9b3c-4d5e6f708192";
constexpr std::string_view kUidOfUnit = "8ae1b2c3_0d1e_4f2a_9b3c_4d5e6f708192";

struct Case {
  std::string path;
  std::string runtime;
  std::string id;
  std::string pod_uid;
};

TEST(CgroupPath, KnowsEveryRuntimesManner) {
  const std::string slice = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" +
                            std::string(kUidOfUnit) + ".slice";
  const std::string uid(kUid);
  for (const Case& one : {
           Case{"/docker/" + kId, "docker", kId, ""},
           Case{"/system.slice/docker-" + kId + ".scope", "docker", kId, ""},
           Case{"/kubepods/besteffort/pod" + uid + "/" + kId, "containerd", kId, uid},
           Case{slice + "/cri-containerd-" + kId + ".scope", "containerd", kId, uid},
           Case{slice + "/crio-" + kId + ".scope", "crio", kId, uid},
           Case{slice + "/docker-" + kId + ".scope", "docker", kId, uid},
           Case{"/system.slice/containerd.service/kubepods-burstable-pod" +
                    std::string(kUidOfUnit) + ".slice:cri-containerd:" + kId,
                "containerd", kId, ""},
           Case{"/machine.slice/libpod-" + kId + ".scope", "podman", kId, ""},
           Case{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope",
                "podman", kId, ""},
           Case{"/libpod_parent/libpod-" + kId, "podman", kId, ""},
           Case{"/lxc.payload.web1", "lxc", "web1", ""},
           Case{"/lxc/web2", "lxc", "web2", ""},
           Case{"/machine.slice/machine-deb\\x2d12.scope", "nspawn", "deb-12", ""},
           Case{"/machine.slice/systemd-nspawn@build.service", "nspawn", "build", ""},
       }) {
    const auto parsed = parse_cgroup_path(one.path);
    ASSERT_TRUE(parsed) << one.path;
    EXPECT_EQ(parsed->kind, CgroupPath::Kind::kContainer) << one.path;
    EXPECT_EQ(parsed->runtime, one.runtime) << one.path;
    EXPECT_EQ(parsed->id, one.id) << one.path;
    EXPECT_EQ(parsed->pod_uid, one.pod_uid) << one.path;
  }
  const auto pod = parse_cgroup_path(slice);
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->kind, CgroupPath::Kind::kPod);
  EXPECT_EQ(pod->pod_uid, uid);
}

TEST(CgroupPath, TakesNothingElseForAContainer) {
  for (const std::string& path :
       {std::string("/"), std::string("/system.slice"), std::string("/system.slice/ssh.service"),
        std::string("/user.slice/user-0.slice/session-1.scope"), std::string("/init.scope"),
        std::string("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"),
        std::string("/kubepods.slice/kubepods-burstable.slice"), std::string("/podsomething"),
        "/machine.slice/libpod-conmon-" + kId + ".scope", "/x/" + kId.substr(1),
        "/x/" + std::string(64, 'g'), "/x/y" + kId}) {
    EXPECT_FALSE(parse_cgroup_path(path)) << path;
  }
}

TEST(CgroupPath, LooksOnlyWhereContainersMayStand) {
  EXPECT_TRUE(may_hold_containers("system.slice"));
  EXPECT_TRUE(may_hold_containers("user@1000.service"));
  EXPECT_TRUE(may_hold_containers("docker"));
  EXPECT_FALSE(may_hold_containers("ssh.service"));
  EXPECT_FALSE(may_hold_containers("session-1.scope"));
  EXPECT_FALSE(may_hold_containers("tmp.mount"));
}

}  // namespace
}  // namespace binnacle::collect::container
