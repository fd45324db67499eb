// Kubernetes discovery against a small API server of our own with lists and watches.
#include "collect/discovery/kubernetes_source.h"

#include <gmock/gmock.h>

#include <map>

#include "base/check.h"
#include "base/fault_file_system.h"
#include "base/mutex.h"
#include "base/yaml_reader.h"
#include "collect/discovery/source_factory.h"
#include "net/router.h"
#include "net/server.h"
#include "net/stream_handler.h"

namespace binnacle::collect::discovery {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string pod(const std::string& name, const std::string& address) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"llm"},"spec":{"containers":[)" +
         R"({"name":"c","ports":[{"containerPort":80}]}]},"status":{"podIP":")" + address +
         R"("}})";
}

// What /api/v1/pods and its kin say: a list at a version, then events. Any thread.
class FakeApi {
 public:
  FakeApi() {
    for (const char* pattern : {"/api/v1/{kind}", "/api/v1/namespaces/{name}/{kind}",
                                "/apis/discovery.k8s.io/v1/{kind}"}) {
      net::Route route;
      route.pattern = pattern;
      route.role = Role::kPublic;
      route.handler = net::StreamHandler(
          [this](const net::Request& request, net::BodyReader&, net::ResponseWriter& writer) {
            return answer(request, writer);
          });
      CHECK(router_.add(std::move(route)).has_value());
    }
    CHECK(server_.listen({.address = "127.0.0.1:0"}).has_value());
    io_.start();
    server_.start();
  }
  ~FakeApi() { server_.stop(milliseconds(0)); }

  std::string url() const { return "http://" + server_.addresses().at(0); }

  void set_list(const std::string& kind, const std::vector<std::string>& items) {
    const MutexLock lock(mu_);
    lists_[kind] = items;
  }
  void say(const std::string& kind, const std::string& type, const std::string& object) {
    const MutexLock lock(mu_);
    events_[kind].push_back(R"({"type":")" + type + R"(","object":)" + object + "}\n");
  }
  void set_status(int status) {
    const MutexLock lock(mu_);
    status_ = status;
  }
  int lists_of(const std::string& kind) {
    const MutexLock lock(mu_);
    return list_count_[kind];
  }
  std::vector<std::string> requests() {
    const MutexLock lock(mu_);
    return requests_;
  }

 private:
  asio::awaitable<void> answer(const net::Request& request, net::ResponseWriter& writer) {
    const std::string kind(request.path.substr(request.path.rfind('/') + 1));
    const bool watching = request.params().has("watch");
    int status = 200;
    std::string body;
    {
      const MutexLock lock(mu_);
      requests_.push_back(std::string(request.target) + " " +
                          std::string(request.header("Authorization")));
      status = status_;
      if (!watching) ++list_count_[kind];
      const auto& items = lists_[kind];
      // Two pages where there are two objects.
      const bool second = request.params().has("continue");
      body = R"({"metadata":{"resourceVersion":"100")";
      if (items.size() > 1 && !second) body += R"(,"continue":"page 2")";
      body += R"(},"items":[)";
      if (!items.empty()) body += second ? items[1] : items[0];
      body += "]}";
    }
    if (status != 200) {
      co_await writer.send(net::Response::json(
          status, R"({"kind":"Status","message":"pods is forbidden","code":403})"));
      co_return;
    }
    if (!watching) {
      co_await writer.send(net::Response::json(200, body));
      co_return;
    }
    co_await watch(kind, writer);
  }

  asio::awaitable<void> watch(const std::string& kind, net::ResponseWriter& writer) {
    net::Headers headers;
    headers.add("Content-Type", "application/json");
    (void)co_await writer.start(200, std::move(headers));
    while (!writer.cancelled()) {
      std::string line;
      {
        const MutexLock lock(mu_);
        auto& waiting = events_[kind];
        if (!waiting.empty()) {
          line = waiting.front();
          waiting.erase(waiting.begin());
        }
      }
      if (line == "{\"type\":\"END\",\"object\":{}}\n") co_return;
      if (line.empty()) {
        co_await writer.sleep(milliseconds(1));
      } else {
        (void)co_await writer.write(line);
      }
    }
  }

  Mutex mu_;
  std::map<std::string, std::vector<std::string>> lists_ GUARDED_BY(mu_);
  std::map<std::string, std::vector<std::string>> events_ GUARDED_BY(mu_);
  std::map<std::string, int> list_count_ GUARDED_BY(mu_);
  std::vector<std::string> requests_ GUARDED_BY(mu_);
  int status_ GUARDED_BY(mu_) = 200;

  SystemClock clock_;
  Registry registry_;
  ThreadPool pool_{"fake", 1, 16};
  net::IoThreads io_{1};
  net::Router router_;
  net::Server server_{io_, router_, nullptr, pool_, registry_, clock_, {}};
};

class KubernetesSourceTest : public testing::Test {
 protected:
  KubernetesSourceTest() { io_.start(); }
  ~KubernetesSourceTest() override {
    if (source_) source_->stop();
  }

  KubernetesParts parts() {
    return {io_,
            files_,
            clock_,
            pool_,
            random_,
            PodEnvironment{[this](const char* name) { return variables_[name]; }, "/account"},
            KubernetesTiming{milliseconds(1), milliseconds(5), milliseconds(1),
                             std::chrono::seconds(60)}};
  }
  void start(KubernetesSdConfig config) {
    source_ = std::make_unique<KubernetesSource>(std::move(config), parts(), health_);
    source_->start([this](std::vector<model::TargetGroup> groups) {
      const MutexLock lock(mu_);
      for (auto& group : groups) {
        if (group.targets.empty()) {
          groups_.erase(group.source);
        } else {
          groups_[group.source] = std::move(group);
        }
      }
      changed_.notify_all();
    });
  }
  // The addresses by group, once they are as wanted.
  bool becomes(const std::map<std::string, std::string>& wanted) {
    const MutexLock lock(mu_);
    for (int tries = 0; tries < 20; ++tries) {
      std::map<std::string, std::string> now;
      for (const auto& [source, group] : groups_) {
        for (const auto& target : group.targets) {
          now[source] += std::string(target.get("__address__"));
        }
      }
      if (now == wanted) return true;
      changed_.wait_for_ms(mu_, 1'000);
    }
    return false;
  }
  bool error_becomes(const std::string& part) {
    for (int tries = 0; tries < 20'000; ++tries) {
      if (health_.state().last_error.find(part) != std::string::npos) return true;
      const MutexLock lock(mu_);
      changed_.wait_for_ms(mu_, 1);
    }
    return false;
  }

  FakeApi api_;
  FaultFileSystem files_;
  SystemClock clock_;
  Registry registry_;
  SystemRandom random_;
  ThreadPool pool_{"test", 1, 16};
  net::IoThreads io_{1};
  MechanismInstruments instruments_{registry_, "kubernetes"};
  SourceHealth health_{clock_, instruments_};
  std::map<std::string, std::string> variables_;
  Mutex mu_;
  CondVar changed_;
  std::map<std::string, model::TargetGroup> groups_ GUARDED_BY(mu_);
  std::unique_ptr<KubernetesSource> source_;
};

TEST_F(KubernetesSourceTest, ListsPagesAndFollowsEvents) {
  api_.set_list("pods", {pod("a", "10.0.0.1"), pod("b", "10.0.0.2")});
  start({.role = "pod", .api_server = api_.url() + "/"});
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}, {"pod/llm/b", "10.0.0.2:80"}}));
  api_.say("pods", "ADDED", pod("c", "10.0.0.3"));
  api_.say("pods", "MODIFIED", pod("a", "10.0.0.9"));
  api_.say("pods", "DELETED", pod("b", "10.0.0.2"));
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.9:80"}, {"pod/llm/c", "10.0.0.3:80"}}));
  EXPECT_EQ(health_.state().last_error, "");
  const auto requests = api_.requests();
  EXPECT_EQ(requests.at(0), "/api/v1/pods?limit=500 ");
  EXPECT_EQ(requests.at(1), "/api/v1/pods?limit=500&continue=page%202 ");
  EXPECT_THAT(requests.at(2),
              HasSubstr("watch=1&allowWatchBookmarks=true&resourceVersion=100&timeoutSeconds=60"));
}

TEST_F(KubernetesSourceTest, GoesOnWhereAWatchEnded) {
  api_.set_list("pods", {pod("a", "10.0.0.1")});
  start({.role = "pod", .api_server = api_.url()});
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}}));
  api_.say("pods", "BOOKMARK", R"({"metadata":{"resourceVersion":"170"}})");
  api_.say("pods", "END", "{}");
  api_.say("pods", "ADDED", pod("b", "10.0.0.2"));
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}, {"pod/llm/b", "10.0.0.2:80"}}));
  EXPECT_EQ(api_.lists_of("pods"), 1);
  EXPECT_THAT(api_.requests().back(), HasSubstr("resourceVersion=170"));
}

TEST_F(KubernetesSourceTest, ListsAnewWhenTheVersionIsTooOld) {
  api_.set_list("pods", {pod("a", "10.0.0.1")});
  start({.role = "pod", .api_server = api_.url()});
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}}));
  api_.set_list("pods", {pod("b", "10.0.0.2")});
  api_.say("pods", "ERROR", R"({"kind":"Status","code":410,"message":"too old"})");
  ASSERT_TRUE(becomes({{"pod/llm/b", "10.0.0.2:80"}}));
  EXPECT_EQ(api_.lists_of("pods"), 2);
}

TEST_F(KubernetesSourceTest, KeepsTheLastGoodTargetsWhileTheServerFails) {
  api_.set_list("pods", {pod("a", "10.0.0.1")});
  start({.role = "pod", .api_server = api_.url()});
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}}));
  api_.set_status(403);
  api_.say("pods", "END", "{}");
  ASSERT_TRUE(error_becomes("watch: HTTP status 403: pods is forbidden"));
  EXPECT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}}));
  api_.set_status(200);
  api_.say("pods", "ADDED", pod("b", "10.0.0.2"));
  EXPECT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}, {"pod/llm/b", "10.0.0.2:80"}}));
}

TEST_F(KubernetesSourceTest, EndpointsWaitForAllTheyLookAt) {
  api_.set_list("endpoints",
                {R"({"metadata":{"name":"e","namespace":"llm"},"subsets":[{"addresses":[{"ip":)"
                 R"("10.0.0.1","targetRef":{"kind":"Pod","namespace":"llm","name":"a"}}],)"
                 R"("ports":[{"port":80}]}]})"});
  api_.set_list("pods", {pod("a", "10.0.0.1")});
  start({.role = "endpoints",
         .api_server = api_.url(),
         .namespaces = {"llm"},
         .selectors = {{"pod", "app in (a,b)", ""}}});
  ASSERT_TRUE(becomes({{"endpoints/llm/e", "10.0.0.1:80"}}));
  const MutexLock lock(mu_);
  EXPECT_EQ(groups_["endpoints/llm/e"].targets.at(0).get("__meta_kubernetes_pod_name"), "a");
  std::vector<std::string> lists;
  for (const auto& request : api_.requests()) {
    if (request.find("limit") != std::string::npos) lists.push_back(request);
  }
  EXPECT_THAT(lists, testing::UnorderedElementsAre(
                         "/api/v1/namespaces/llm/endpoints?limit=500 ",
                         "/api/v1/namespaces/llm/services?limit=500 ",
                         "/api/v1/namespaces/llm/pods?limit=500&labelSelector=app%20in%20%28a%2Cb"
                         "%29 "));
}

TEST_F(KubernetesSourceTest, WaitsForAKubeconfigThatWorks) {
  CHECK(files_.create_directories("/k").has_value());
  api_.set_list("pods", {pod("a", "10.0.0.1")});
  start({.role = "pod", .kubeconfig_file = "/k/config"});
  ASSERT_TRUE(error_becomes("/k/config"));
  ASSERT_TRUE(files_.write_file_atomically("/k/config", R"(
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: ')" + api_.url() + R"('}}]
users: [{name: u, user: {token: secret}}]
)"));
  ASSERT_TRUE(becomes({{"pod/llm/a", "10.0.0.1:80"}}));
  EXPECT_THAT(api_.requests().at(0), HasSubstr(" Bearer secret"));
}

class KubernetesAccessTest : public testing::Test {
 protected:
  KubernetesAccessTest() { CHECK(files_.create_directories("/account").has_value()); }
  std::string problem_of(const KubernetesSdConfig& config) {
    const auto access = find_kubernetes(config, files_, pod_);
    return access ? "" : access.error().message;
  }
  FaultFileSystem files_;
  std::map<std::string, std::string> variables_;
  PodEnvironment pod_{[this](const char* name) { return variables_[name]; }, "/account"};
};

TEST_F(KubernetesAccessTest, InAPodTheServiceAccountServes) {
  EXPECT_THAT(problem_of({.role = "pod"}), HasSubstr("not in a pod"));
  variables_ = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_THAT(problem_of({.role = "pod", .own_namespace = true}), HasSubstr("/account/namespace"));
  ASSERT_TRUE(files_.write_file_atomically("/account/namespace", "llm\n"));
  const auto access = find_kubernetes({.role = "pod", .own_namespace = true}, files_, pod_);
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server, "https://[fd00::1]:443");
  EXPECT_EQ(access->own_namespace, "llm");
  EXPECT_EQ(access->http.tls.ca_file, "/account/ca.crt");
  EXPECT_EQ(access->http.authorization->credentials_file, "/account/token");
}

TEST_F(KubernetesAccessTest, AKubeconfigSaysWhatIsMissing) {
  const KubernetesSdConfig config{.role = "pod", .kubeconfig_file = "/account/config"};
  const auto problem_with = [&](const std::string& text) {
    CHECK(files_.write_file_atomically("/account/config", text).has_value());
    return problem_of(config);
  };
  EXPECT_THAT(problem_with("current-context: c\n"), HasSubstr("names no context (c)"));
  const std::string context =
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n";
  EXPECT_THAT(problem_with(context), HasSubstr("names no cluster of the file (k)"));
  EXPECT_THAT(problem_with(context + "clusters: [{name: k, cluster: {server: 'https://x', "
                                     "certificate-authority-data: '?'}}]\n"),
              HasSubstr("certificate-authority-data: no Base64"));
  EXPECT_THAT(problem_with(context + "clusters: [{name: k, cluster: {server: 'https://x'}}]\n"
                                     "users: [{name: u, user: {exec: {command: x}}}]\n"),
              HasSubstr("no programs are run"));
}

TEST_F(KubernetesAccessTest, AKubeconfigMayHoldItsCertificates) {
  ASSERT_TRUE(files_.write_file_atomically("/account/config", R"(
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters:
- {name: other, cluster: {server: 'https://other'}}
- {name: k, cluster: {server: 'https://x:6443/', certificate-authority-data: Q0E=}}
users: [{name: u, user: {client-certificate-data: Q0VSVA==, client-key: key.pem}}]
)"));
  const auto access =
      find_kubernetes({.role = "pod", .kubeconfig_file = "/account/config"}, files_, pod_);
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server, "https://x:6443");
  EXPECT_EQ(access->http.tls.ca_pem, "CA");
  EXPECT_EQ(access->http.tls.certificate_pem, "CERT");
  EXPECT_EQ(access->http.tls.key_file, "/account/key.pem");
}

TEST(SourceFactory, MakesEveryMechanism) {
  FaultFileSystem files;
  SystemClock clock;
  SystemRandom random;
  Registry registry;
  ThreadPool pool("test", 1, 4);
  net::IoThreads io(1);
  const auto make = source_factory({io, files, clock, pool, random, PodEnvironment::of_process()});
  MechanismInstruments instruments(registry, "test");
  SourceHealth health(clock, instruments);
  const SourceConfig configs[] = {{"static", "1", StaticConfig{}},
                                  {"file", "2", FileSdConfig{}},
                                  {"http", "3", HttpSdConfig{}},
                                  {"dns", "4", DnsSdConfig{}},
                                  {"kubernetes", "5", KubernetesSdConfig{}}};
  for (const SourceConfig& config : configs) EXPECT_NE(make(config, health), nullptr);
  size_t groups = 0;
  const auto fixed =
      make({"static", "6",
            StaticConfig{{model::TargetGroup{.source = "0", .targets = {}, .labels = {}}}}},
           health);
  fixed->start([&groups](const std::vector<model::TargetGroup>& given) { groups = given.size(); });
  EXPECT_EQ(groups, 1U);
}

}  // namespace
}  // namespace binnacle::collect::discovery
