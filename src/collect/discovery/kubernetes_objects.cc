#include "collect/discovery/kubernetes_objects.h"

#include <nlohmann/json.hpp>

#include "base/json_parse.h"

namespace binnacle::collect::discovery {
namespace {

using nlohmann::json;

constexpr size_t kMaxMessageBytes = 200;

const json* child(const json* object, const char* name) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto it = object->find(name);
  return it == object->end() ? nullptr : &*it;
}

const json* at_path(const json& object, std::initializer_list<const char*> path) {
  const json* node = &object;
  for (const char* name : path) node = child(node, name);
  return node;
}

std::string as_text(const json* node) {
  if (node == nullptr) return {};
  if (node->is_string()) return node->get<std::string>();
  if (node->is_number_integer() || node->is_boolean()) return node->dump();
  return {};
}

void drop(json& object, const char* section, std::initializer_list<const char*> fields) {
  const auto it = object.find(section);
  if (it == object.end() || !it->is_object()) return;
  for (const char* field : fields) it->erase(field);
}

void drop_of_each(json& object, const char* list, std::initializer_list<const char*> fields) {
  const auto it = object.find(list);
  if (it == object.end() || !it->is_array()) return;
  for (json& item : *it) {
    if (!item.is_object()) continue;
    for (const char* field : fields) item.erase(field);
  }
}

// Large and of no use here. Labels and annotations stay whole, whatever their names.
void prune(json& object) {
  drop(object, "metadata", {"managedFields"});
  drop(object, "spec", {"volumes", "affinity", "tolerations", "template", "securityContext"});
  drop(object, "status", {"images", "volumesInUse", "volumesAttached"});
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) return;
  for (const char* containers : {"containers", "initContainers"}) {
    drop_of_each(*spec, containers,
                 {"env", "envFrom", "volumeMounts", "command", "args", "resources", "livenessProbe",
                  "readinessProbe", "startupProbe", "securityContext", "lifecycle"});
  }
}

Result<KubeObject> take_object(json&& object) {
  const std::string name = as_text(at_path(object, {"metadata", "name"}));
  if (name.empty()) return fail(Code::kInvalidArgument, "kubernetes: an object without a name");
  const std::string space = as_text(at_path(object, {"metadata", "namespace"}));
  prune(object);
  return KubeObject{space.empty() ? name : space + "/" + name,
                    std::make_shared<const json>(std::move(object))};
}

Result<WatchEvent> of_error(const json& object) {
  if (as_text(at_path(object, {"code"})) == "410") {
    WatchEvent event;
    event.type = WatchEvent::Type::kGone;
    return event;
  }
  return fail(Code::kUnavailable,
              "kubernetes: the watch ended: " +
                  as_text(at_path(object, {"message"})).substr(0, kMaxMessageBytes));
}

}  // namespace

std::string text_at(const json& object, std::initializer_list<const char*> path) {
  return as_text(at_path(object, path));
}

const json* node_at(const json& object, std::initializer_list<const char*> path) {
  const json* node = at_path(object, path);
  return node != nullptr && (node->is_array() || node->is_object()) ? node : nullptr;
}

const json& list_at(const json& object, std::initializer_list<const char*> path) {
  static const json nothing = json::array();
  const json* node = node_at(object, path);
  return node != nullptr && node->is_array() ? *node : nothing;
}

Result<ObjectPage> parse_object_page(std::string_view body) {
  json answer = parse_json(body);
  if (!answer.is_object()) {
    return fail(Code::kInvalidArgument, "kubernetes: the answer is no JSON object");
  }
  ObjectPage page;
  page.resource_version = text_at(answer, {"metadata", "resourceVersion"});
  page.continue_token = text_at(answer, {"metadata", "continue"});
  const auto items = answer.find("items");
  if (items == answer.end() || items->is_null()) {
    if (page.resource_version.empty()) {
      return fail(Code::kInvalidArgument, "kubernetes: the answer is no list of objects");
    }
    return page;
  }
  if (!items->is_array()) return fail(Code::kInvalidArgument, "kubernetes: items is no list");
  for (json& item : *items) {
    TRY_ASSIGN(auto object, take_object(std::move(item)));
    page.items.push_back(std::move(object));
  }
  return page;
}

Result<WatchEvent> parse_watch_event(std::string_view line) {
  json answer = parse_json(line);
  const json* node = child(&answer, "object");
  if (node == nullptr || !node->is_object()) {
    return fail(Code::kInvalidArgument, "kubernetes: a line of the watch is no event");
  }
  const std::string type = text_at(answer, {"type"});
  if (type == "ERROR") return of_error(*node);
  WatchEvent event;
  event.resource_version = text_at(*node, {"metadata", "resourceVersion"});
  if (type == "BOOKMARK") return event;
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") {
    return fail(Code::kInvalidArgument,
                "kubernetes: unknown event (" + type.substr(0, kMaxMessageBytes) + ")");
  }
  event.type = type == "DELETED" ? WatchEvent::Type::kDeleted : WatchEvent::Type::kChanged;
  TRY_ASSIGN(event.object, take_object(std::move(answer["object"])));
  return event;
}

std::string status_message(std::string_view body) {
  const json answer = parse_json(body);
  if (text_at(answer, {"kind"}) != "Status") return {};
  return text_at(answer, {"message"}).substr(0, kMaxMessageBytes);
}

}  // namespace binnacle::collect::discovery
