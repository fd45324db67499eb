// Objects of Kubernetes' API as it sends them: pages of a list and lines of a watch. Outside bytes;
// what targets are not made of is dropped at once, for its size. Source: Kubernetes documentation,
// "API concepts". Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::collect::discovery {

// Shared: stores keep it, builders look at it, nobody changes it.
using ObjectPtr = std::shared_ptr<const nlohmann::json>;

struct KubeObject {
  std::string key;  // "namespace/name", "name" without a namespace
  ObjectPtr object;
};

struct ObjectPage {
  std::vector<KubeObject> items;
  std::string resource_version;
  std::string continue_token;  // empty: the last page
};
Result<ObjectPage> parse_object_page(std::string_view body);

struct WatchEvent {
  enum class Type : uint8_t { kChanged, kDeleted, kBookmark, kGone };
  Type type = Type::kBookmark;
  KubeObject object;  // of kChanged and kDeleted
  std::string resource_version;
};
// kGone: what we know is too old, list again. An error that the server reports is an Error.
Result<WatchEvent> parse_watch_event(std::string_view line);

// The message of a `Status` object; "" when it is none.
std::string status_message(std::string_view body);

// The field at the end of a path as text: numbers and truth values as they are written, "" when it
// is not there.
std::string text_at(const nlohmann::json& object, std::initializer_list<const char*> path);
// The list or map there; null when it is neither.
const nlohmann::json* node_at(const nlohmann::json& object,
                              std::initializer_list<const char*> path);
// The list there; an empty one when it is none.
const nlohmann::json& list_at(const nlohmann::json& object,
                              std::initializer_list<const char*> path);

}  // namespace binnacle::collect::discovery
