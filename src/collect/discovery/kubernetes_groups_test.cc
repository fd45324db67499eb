// Objects in the shape in which Kubernetes 1.29 sends them, cut down, and the groups made of them.
#include "collect/discovery/kubernetes_groups.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "collect/discovery/kubernetes_objects.h"
#include "collect/discovery/kubernetes_store.h"

namespace binnacle::collect::discovery {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kPod = R"({
  "kind": "Pod", "apiVersion": "v1",
  "metadata": {"name": "vllm-0", "namespace": "llm", "uid": "d1f2", "resourceVersion": "71",
    "labels": {"app.kubernetes.io/name": "vllm", "env": "prod"},
    "annotations": {"prometheus.io/port": "8000"},
    "ownerReferences": [{"kind": "StatefulSet", "name": "vllm", "controller": true}],
    "managedFields": [{"manager": "kubelet"}]},
  "spec": {"nodeName": "gpu-1", "volumes": [{"name": "models"}],
    "containers": [
      {"name": "server", "image": "vllm/vllm-openai:v0.6.3", "env": [{"name": "A", "value": "b"}],
       "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"},
                 {"name": "metrics", "containerPort": 9100, "protocol": "TCP"}]},
      {"name": "sidecar", "image": "proxy:1"}],
    "initContainers": [{"name": "fetch", "image": "fetch:1"}]},
  "status": {"phase": "Running", "podIP": "10.1.2.3", "hostIP": "192.168.0.7",
    "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}],
    "containerStatuses": [{"name": "server", "containerID": "containerd://abc"}]}})";

constexpr std::string_view kService = R"({
  "metadata": {"name": "vllm", "namespace": "llm", "labels": {"team": "a"}},
  "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.9", "ipFamilyPolicy": "PreferDualStack",
    "ipFamilies": ["IPv4", "IPv6"],
    "ports": [{"name": "http", "port": 80, "targetPort": 8000, "protocol": "TCP"}]},
  "status": {"loadBalancer": {"ingress": [{"hostname": "x"}, {"ip": "203.0.113.5"}]}}})";

constexpr std::string_view kEndpoints = R"({
  "metadata": {"name": "vllm", "namespace": "llm", "labels": {"team": "a"}},
  "subsets": [{
    "addresses": [{"ip": "10.1.2.3", "nodeName": "gpu-1", "hostname": "vllm-0",
      "targetRef": {"kind": "Pod", "namespace": "llm", "name": "vllm-0"}}],
    "notReadyAddresses": [{"ip": "10.1.2.9"}],
    "ports": [{"name": "http", "port": 8000, "protocol": "TCP"}]}]})";

constexpr std::string_view kSlice = R"({
  "metadata": {"name": "vllm-x7k2", "namespace": "llm",
    "labels": {"kubernetes.io/service-name": "vllm"}},
  "addressType": "IPv4",
  "endpoints": [{"addresses": ["10.1.2.3"], "nodeName": "gpu-1", "zone": "eu-1a",
    "conditions": {"ready": true, "serving": true, "terminating": false},
    "deprecatedTopology": {"kubernetes.io/hostname": "gpu-1"},
    "targetRef": {"kind": "Pod", "namespace": "llm", "name": "vllm-0"}}],
  "ports": [{"name": "http", "port": 8000, "protocol": "TCP", "appProtocol": "http"}]})";

constexpr std::string_view kNode = R"({
  "metadata": {"name": "gpu-1", "labels": {"nvidia.com/gpu": "h100"}},
  "spec": {"providerID": "kind://gpu-1"},
  "status": {"conditions": [{"type": "Ready", "status": "True"}],
    "addresses": [{"type": "Hostname", "address": "gpu-1"},
                  {"type": "InternalIP", "address": "192.168.0.7"},
                  {"type": "InternalIP", "address": "fd00::7"}],
    "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}}})";

constexpr std::string_view kIngress = R"({
  "metadata": {"name": "api", "namespace": "llm"},
  "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["*.example.com"]}],
    "rules": [{"host": "llm.example.com", "http": {"paths": [{"path": "/v1"}, {}]}},
              {"host": "plain.org"}]}})";

class Objects final : public KubeLookup {
 public:
  void add(KubeKind kind, const std::string& key, std::string_view text) {
    objects_[std::string(kube_kind_name(kind)) + "/" + key] = json::parse(text);
  }
  const json* find(KubeKind kind, const std::string& key) override {
    const auto it = objects_.find(std::string(kube_kind_name(kind)) + "/" + key);
    return it == objects_.end() ? nullptr : &it->second;
  }

 private:
  std::map<std::string, json> objects_;
};

class KubernetesGroups : public testing::Test {
 protected:
  model::TargetGroup group(KubeKind role, std::string_view text, KubeMetadata attach = {}) {
    return kube_group(role, "key", json::parse(text), attach, objects_);
  }
  static std::string meta(const model::Labels& labels, std::string_view name) {
    return std::string(labels.get(std::string("__meta_kubernetes_").append(name)));
  }
  static std::vector<std::string> addresses(const model::TargetGroup& group) {
    std::vector<std::string> out;
    for (const auto& target : group.targets) out.emplace_back(target.get("__address__"));
    return out;
  }
  Objects objects_;
};

TEST_F(KubernetesGroups, APodHasATargetForEachPort) {
  const auto pod = group(KubeKind::kPod, kPod);
  EXPECT_EQ(pod.source, "pod/key");
  EXPECT_THAT(addresses(pod),
              ElementsAre("10.1.2.3:8000", "10.1.2.3:9100", "10.1.2.3", "10.1.2.3"));
  EXPECT_EQ(pod.labels,
            (model::Labels{{"__meta_kubernetes_namespace", "llm"},
                           {"__meta_kubernetes_pod_annotation_prometheus_io_port", "8000"},
                           {"__meta_kubernetes_pod_annotationpresent_prometheus_io_port", "true"},
                           {"__meta_kubernetes_pod_controller_kind", "StatefulSet"},
                           {"__meta_kubernetes_pod_controller_name", "vllm"},
                           {"__meta_kubernetes_pod_host_ip", "192.168.0.7"},
                           {"__meta_kubernetes_pod_ip", "10.1.2.3"},
                           {"__meta_kubernetes_pod_label_app_kubernetes_io_name", "vllm"},
                           {"__meta_kubernetes_pod_label_env", "prod"},
                           {"__meta_kubernetes_pod_labelpresent_app_kubernetes_io_name", "true"},
                           {"__meta_kubernetes_pod_labelpresent_env", "true"},
                           {"__meta_kubernetes_pod_name", "vllm-0"},
                           {"__meta_kubernetes_pod_node_name", "gpu-1"},
                           {"__meta_kubernetes_pod_phase", "Running"},
                           {"__meta_kubernetes_pod_ready", "true"},
                           {"__meta_kubernetes_pod_uid", "d1f2"}}));
  EXPECT_EQ(pod.targets[0],
            (model::Labels{{"__address__", "10.1.2.3:8000"},
                           {"__meta_kubernetes_pod_container_id", "containerd://abc"},
                           {"__meta_kubernetes_pod_container_image", "vllm/vllm-openai:v0.6.3"},
                           {"__meta_kubernetes_pod_container_init", "false"},
                           {"__meta_kubernetes_pod_container_name", "server"},
                           {"__meta_kubernetes_pod_container_port_name", "http"},
                           {"__meta_kubernetes_pod_container_port_number", "8000"},
                           {"__meta_kubernetes_pod_container_port_protocol", "TCP"}}));
  EXPECT_EQ(meta(pod.targets[3], "pod_container_init"), "true");
}

TEST_F(KubernetesGroups, APodWithoutAnAddressHasNoTargets) {
  EXPECT_THAT(group(KubeKind::kPod, R"({"metadata":{"name":"a"},"status":{}})").targets, IsEmpty());
}

TEST_F(KubernetesGroups, PodsOfUnknownNodesAreLeftOutWhereNodesAreAttached) {
  EXPECT_THAT(group(KubeKind::kPod, kPod, {.node = true}).targets, IsEmpty());
  objects_.add(KubeKind::kNode, "gpu-1", kNode);
  objects_.add(KubeKind::kNamespace, "llm", R"({"metadata":{"labels":{"owner":"me"}}})");
  const auto pod = group(KubeKind::kPod, kPod, {.node = true, .name_space = true});
  EXPECT_EQ(meta(pod.labels, "node_label_nvidia_com_gpu"), "h100");
  EXPECT_EQ(meta(pod.labels, "node_name"), "gpu-1");
  EXPECT_EQ(meta(pod.labels, "namespace_label_owner"), "me");
}

TEST_F(KubernetesGroups, AServiceHasATargetForEachPort) {
  const auto service = group(KubeKind::kService, kService);
  EXPECT_EQ(service.source, "svc/key");
  ASSERT_EQ(service.targets.size(), 1U);
  EXPECT_EQ(service.targets[0],
            (model::Labels{{"__address__", "vllm.llm.svc:80"},
                           {"__meta_kubernetes_service_cluster_ip", "10.96.0.9"},
                           {"__meta_kubernetes_service_loadbalancer_ip", "203.0.113.5"},
                           {"__meta_kubernetes_service_port_name", "http"},
                           {"__meta_kubernetes_service_port_number", "80"},
                           {"__meta_kubernetes_service_port_protocol", "TCP"},
                           {"__meta_kubernetes_service_type", "LoadBalancer"}}));
  EXPECT_EQ(meta(service.labels, "service_name"), "vllm");
  EXPECT_EQ(meta(service.labels, "service_label_team"), "a");
}

TEST_F(KubernetesGroups, EndpointsBringTheirPodsAndThePodsOtherPorts) {
  objects_.add(KubeKind::kPod, "llm/vllm-0", kPod);
  objects_.add(KubeKind::kService, "llm/vllm", kService);
  objects_.add(KubeKind::kNode, "gpu-1", kNode);
  const auto endpoints = group(KubeKind::kEndpoints, kEndpoints, {.node = true});
  EXPECT_THAT(addresses(endpoints), ElementsAre("10.1.2.3:8000", "10.1.2.9:8000", "10.1.2.3:9100"));
  EXPECT_EQ(meta(endpoints.labels, "endpoints_name"), "vllm");
  EXPECT_EQ(meta(endpoints.labels, "service_name"), "vllm");
  EXPECT_EQ(meta(endpoints.labels, "endpoints_label_team"), "a");
  const auto& ready = endpoints.targets[0];
  EXPECT_EQ(meta(ready, "endpoint_ready"), "true");
  EXPECT_EQ(meta(ready, "endpoint_port_name"), "http");
  EXPECT_EQ(meta(ready, "endpoint_port_protocol"), "TCP");
  EXPECT_EQ(meta(ready, "endpoint_node_name"), "gpu-1");
  EXPECT_EQ(meta(ready, "endpoint_hostname"), "vllm-0");
  EXPECT_EQ(meta(ready, "endpoint_address_target_kind"), "Pod");
  EXPECT_EQ(meta(ready, "endpoint_address_target_name"), "vllm-0");
  EXPECT_EQ(meta(ready, "pod_container_name"), "server");
  EXPECT_EQ(meta(ready, "pod_container_port_number"), "8000");
  EXPECT_EQ(meta(ready, "pod_label_env"), "prod");
  EXPECT_EQ(meta(ready, "node_name"), "gpu-1");
  EXPECT_EQ(meta(endpoints.targets[1], "endpoint_ready"), "false");
  EXPECT_EQ(meta(endpoints.targets[1], "pod_name"), "");
  EXPECT_EQ(meta(endpoints.targets[2], "pod_container_port_name"), "metrics");
  EXPECT_EQ(meta(endpoints.targets[2], "endpoint_ready"), "");
}

TEST_F(KubernetesGroups, SlicesDoAsEndpoints) {
  objects_.add(KubeKind::kPod, "llm/vllm-0", kPod);
  objects_.add(KubeKind::kService, "llm/vllm", kService);
  const auto slice = group(KubeKind::kEndpointSlice, kSlice);
  EXPECT_THAT(addresses(slice), ElementsAre("10.1.2.3:8000", "10.1.2.3:9100"));
  EXPECT_EQ(meta(slice.labels, "endpointslice_address_type"), "IPv4");
  EXPECT_EQ(meta(slice.labels, "endpointslice_name"), "vllm-x7k2");
  EXPECT_EQ(meta(slice.labels, "service_name"), "vllm");
  const auto& target = slice.targets[0];
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"endpointslice_port", "8000"},
           {"endpointslice_port_name", "http"},
           {"endpointslice_port_protocol", "TCP"},
           {"endpointslice_port_app_protocol", "http"},
           {"endpointslice_endpoint_conditions_ready", "true"},
           {"endpointslice_endpoint_conditions_serving", "true"},
           {"endpointslice_endpoint_conditions_terminating", "false"},
           {"endpointslice_endpoint_node_name", "gpu-1"},
           {"endpointslice_endpoint_zone", "eu-1a"},
           {"endpointslice_endpoint_topology_kubernetes_io_hostname", "gpu-1"},
           {"endpointslice_endpoint_topology_present_kubernetes_io_hostname", "true"},
           {"endpointslice_address_target_kind", "Pod"},
           {"endpointslice_address_target_name", "vllm-0"},
           {"pod_container_port_protocol", "TCP"},
           {"pod_name", "vllm-0"}}) {
    EXPECT_EQ(meta(target, name), value) << name;
  }
  json second = json::parse(kSlice);
  second["addressType"] = "IPv6";
  EXPECT_THAT(group(KubeKind::kEndpointSlice, second.dump()).targets, IsEmpty())
      << "a dual-stack service is scraped once";
}

TEST_F(KubernetesGroups, ANodeIsReachedByItsInnerAddress) {
  const auto node = group(KubeKind::kNode, kNode);
  ASSERT_EQ(node.targets.size(), 1U);
  EXPECT_EQ(node.targets[0],
            (model::Labels{{"__address__", "192.168.0.7:10250"},
                           {"__meta_kubernetes_node_address_Hostname", "gpu-1"},
                           {"__meta_kubernetes_node_address_InternalIP", "192.168.0.7"},
                           {"instance", "gpu-1"}}));
  EXPECT_EQ(meta(node.labels, "node_provider_id"), "kind://gpu-1");
  EXPECT_EQ(meta(node.labels, "node_condition_Ready"), "true");
}

TEST_F(KubernetesGroups, AnIngressHasATargetForEachPath) {
  const auto ingress = group(KubeKind::kIngress, kIngress);
  ASSERT_EQ(ingress.targets.size(), 3U);
  EXPECT_EQ(ingress.targets[0],
            (model::Labels{{"__address__", "llm.example.com"},
                           {"__meta_kubernetes_ingress_host", "llm.example.com"},
                           {"__meta_kubernetes_ingress_path", "/v1"},
                           {"__meta_kubernetes_ingress_scheme", "https"}}));
  EXPECT_EQ(meta(ingress.targets[1], "ingress_path"), "/");
  EXPECT_EQ(meta(ingress.targets[2], "ingress_scheme"), "http");
  EXPECT_EQ(meta(ingress.labels, "ingress_class_name"), "nginx");
}

TEST(KubernetesObjects, ReadsPagesAndDropsWhatIsLarge) {
  const auto page =
      parse_object_page(R"({"metadata":{"resourceVersion":"9","continue":"more"},"items":[)" +
                        std::string(kPod) + "]}");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->resource_version, "9");
  EXPECT_EQ(page->continue_token, "more");
  ASSERT_EQ(page->items.size(), 1U);
  EXPECT_EQ(page->items[0].key, "llm/vllm-0");
  const json& pod = *page->items[0].object;
  EXPECT_FALSE(pod["metadata"].contains("managedFields"));
  EXPECT_FALSE(pod["spec"].contains("volumes"));
  EXPECT_FALSE(pod["spec"]["containers"][0].contains("env"));
  EXPECT_EQ(pod["metadata"]["labels"]["env"], "prod");
  EXPECT_FALSE(parse_object_page("<html>"));
  EXPECT_FALSE(parse_object_page("{}"));
  EXPECT_FALSE(parse_object_page(R"({"items":[{}]})"));
  EXPECT_TRUE(parse_object_page(R"({"metadata":{"resourceVersion":"1"},"items":null})"));
}

TEST(KubernetesObjects, ReadsEvents) {
  const auto event = [](const std::string& type, const std::string& object) {
    return parse_watch_event(R"({"type":")" + type + R"(","object":)" + object + "}");
  };
  using Type = WatchEvent::Type;
  const auto added = event("ADDED", R"({"metadata":{"name":"a","resourceVersion":"5"}})");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->type, Type::kChanged);
  EXPECT_EQ(added->object.key, "a");
  EXPECT_EQ(added->resource_version, "5");
  EXPECT_EQ(event("DELETED", R"({"metadata":{"name":"a"}})")->type, Type::kDeleted);
  const auto bookmark = event("BOOKMARK", R"({"metadata":{"resourceVersion":"8"}})");
  EXPECT_EQ(bookmark->type, Type::kBookmark);
  EXPECT_EQ(bookmark->resource_version, "8");
  EXPECT_EQ(event("ERROR", R"({"kind":"Status","code":410})")->type, Type::kGone);
  EXPECT_FALSE(event("ERROR", R"({"kind":"Status","code":500,"message":"x"})"));
  EXPECT_FALSE(event("OTHER", "{}"));
  EXPECT_FALSE(parse_watch_event("{"));
}

KubeObject object(std::string_view text) {
  auto page = parse_object_page(R"({"metadata":{"resourceVersion":"1"},"items":[)" +
                                std::string(text) + "]}");
  CHECK(page.has_value());
  return std::move(page->items.at(0));
}

std::vector<model::TargetGroup> changes(KubernetesStore& store) {
  std::vector<model::TargetGroup> out;
  store.take_changes(100, out);
  return out;
}

TEST(KubernetesStore, BuildsAgainWhatLooksAtAChangedObject) {
  KubernetesStore store(KubeKind::kEndpoints, {});
  store.put(KubeKind::kEndpoints, 0, object(kEndpoints));
  store.put(KubeKind::kEndpoints, 0, object(R"({"metadata":{"name":"other","namespace":"llm"},
      "subsets":[{"addresses":[{"ip":"1.1.1.1"}],"ports":[{"port":1}]}]})"));
  EXPECT_EQ(changes(store).size(), 2U);
  EXPECT_FALSE(store.has_changes());
  // The pod comes after the endpoints that name it.
  store.put(KubeKind::kPod, 1, object(kPod));
  const auto with_pod = changes(store);
  ASSERT_EQ(with_pod.size(), 1U);
  EXPECT_EQ(with_pod[0].source, "endpoints/llm/vllm");
  EXPECT_EQ(with_pod[0].targets.size(), 3U);
  store.put(KubeKind::kPod, 1, object(kPod));
  EXPECT_THAT(changes(store), IsEmpty()) << "nothing differs";
  store.replace(KubeKind::kPod, 1, {});
  EXPECT_EQ(changes(store).at(0).targets.size(), 2U);
  store.remove(KubeKind::kEndpoints, "llm/vllm");
  EXPECT_THAT(changes(store).at(0).targets, IsEmpty());
  store.put(KubeKind::kPod, 1, object(kPod));
  EXPECT_FALSE(store.has_changes()) << "nobody looks at it any more";
}

TEST(KubernetesStore, AListReplacesOnlyWhatItsOwnWatchBrought) {
  KubernetesStore store(KubeKind::kNode, {});
  store.put(KubeKind::kNode, 0, object(kNode));
  store.replace(KubeKind::kNode, 1, {});
  EXPECT_EQ(changes(store).at(0).targets.size(), 1U);
  store.replace(KubeKind::kNode, 0, {});
  EXPECT_THAT(changes(store).at(0).targets, IsEmpty());
}

}  // namespace
}  // namespace binnacle::collect::discovery
