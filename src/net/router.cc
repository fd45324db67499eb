#include "net/router.h"

#include <algorithm>
#include <optional>

namespace binnacle::net {

namespace {

constexpr std::array<std::string_view, kRouteGroups> kGroupNames = {"page",    "api",  "ingest",
                                                                    "gateway", "link", "probes"};

constexpr size_t kMethods = static_cast<size_t>(Method::kOther) + 1;
constexpr size_t kMaxParams = 16;

enum class SegmentKind : uint8_t { kLiteral, kInteger, kText, kRest };

struct Segment {
  SegmentKind kind = SegmentKind::kLiteral;
  std::string_view name;  // the literal, or the parameter's name; views the route's pattern
};

bool is_integer(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

Unexpected bad_pattern(std::string_view pattern, std::string_view why) {
  return fail(Code::kInvalidArgument,
              "route pattern \"" + std::string(pattern) + "\": " + std::string(why));
}

std::optional<Segment> parse_segment(std::string_view text) {
  if (text.find_first_of("{}") == std::string_view::npos)
    return Segment{SegmentKind::kLiteral, text};
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return std::nullopt;
  Segment segment{SegmentKind::kText, text.substr(1, text.size() - 2)};
  if (segment.name.ends_with("...")) {
    segment.kind = SegmentKind::kRest;
    segment.name.remove_suffix(3);
  } else if (segment.name.ends_with(":int")) {
    segment.kind = SegmentKind::kInteger;
    segment.name.remove_suffix(4);
  }
  if (!is_name(segment.name)) return std::nullopt;
  return segment;
}

// The part up to the next '/', taken off `rest` with that '/'. `last` tells that nothing follows.
std::string_view take_segment(std::string_view& rest, bool& last) {
  const size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  last = slash == std::string_view::npos;
  rest = last ? std::string_view() : rest.substr(slash + 1);
  return segment;
}

Result<std::vector<Segment>> parse_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') return bad_pattern(pattern, "must begin with /");
  std::vector<Segment> segments;
  std::string_view rest = pattern.substr(1);
  for (bool last = false; !last;) {
    const auto segment = parse_segment(take_segment(rest, last));
    if (!segment)
      return bad_pattern(pattern, "a segment is text, {name}, {name:int} or a last {name...}");
    if (segment->kind == SegmentKind::kRest && !last)
      return bad_pattern(pattern, "{name...} must be the last");
    for (const Segment& other : segments) {
      if (segment->kind != SegmentKind::kLiteral && other.kind != SegmentKind::kLiteral &&
          other.name == segment->name)
        return bad_pattern(pattern, "a name stands twice");
    }
    segments.push_back(*segment);
  }
  if (segments.size() > kMaxParams) return bad_pattern(pattern, "more than 16 segments");
  return segments;
}

}  // namespace

std::string_view route_group_name(RouteGroup group) {
  return kGroupNames[static_cast<size_t>(group)];
}

Result<RouteGroup> route_group_from_name(std::string_view name) {
  for (size_t i = 0; i < kRouteGroups; ++i) {
    if (kGroupNames[i] == name) return static_cast<RouteGroup>(i);
  }
  return fail(Code::kInvalidArgument, "unknown route group \"" + std::string(name) +
                                          "\": use page, api, ingest, gateway, link or probes");
}

struct Router::Node {
  struct Leaf {
    const Route* route = nullptr;
    std::vector<std::string_view> names;  // of the parameters on the way; view the route's pattern
  };
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;  // sorted
  std::unique_ptr<Node> integer, text, rest;
  std::array<Leaf, kMethods> leaves;

  const Node* find_literal(std::string_view segment) const {
    const auto at = std::lower_bound(
        literals.begin(), literals.end(), segment,
        [](const auto& entry, std::string_view name) { return entry.first < name; });
    return at != literals.end() && at->first == segment ? at->second.get() : nullptr;
  }

  Node& child(const Segment& segment) {
    if (segment.kind == SegmentKind::kLiteral) {
      auto at = std::lower_bound(
          literals.begin(), literals.end(), segment.name,
          [](const auto& entry, std::string_view name) { return entry.first < name; });
      if (at == literals.end() || at->first != segment.name)
        at = literals.emplace(at, std::string(segment.name), std::make_unique<Node>());
      return *at->second;
    }
    auto& slot = segment.kind == SegmentKind::kInteger ? integer
                 : segment.kind == SegmentKind::kText  ? text
                                                       : rest;
    if (!slot) slot = std::make_unique<Node>();
    return *slot;
  }

  // One walk through the tree for one path.
  struct Search {
    Method method;
    std::array<std::string_view, kMaxParams> values{};
    size_t value_count = 0;
    const Leaf* found = nullptr;
    std::array<bool, kMethods> allowed{};

    bool arrive(const Node& node) {
      const Leaf* leaf = &node.leaves[static_cast<size_t>(method)];
      if (method == Method::kHead && leaf->route == nullptr)
        leaf = &node.leaves[static_cast<size_t>(Method::kGet)];
      if (leaf->route != nullptr) {
        found = leaf;
        return true;
      }
      for (size_t i = 0; i < kMethods; ++i) allowed[i] |= node.leaves[i].route != nullptr;
      return false;
    }

    bool with_value(std::string_view value, const Node& node, std::string_view rest_of_path,
                    bool last) {
      values[value_count++] = value;
      if (last ? arrive(node) : walk(node, rest_of_path)) return true;
      --value_count;
      return false;
    }

    // `path` has lost its leading '/'.
    bool walk(const Node& node, std::string_view path) {
      std::string_view after = path;
      bool last = false;
      const std::string_view raw = take_segment(after, last);
      const Node* literal = nullptr;
      if (raw.find('%') == std::string_view::npos) {
        literal = node.find_literal(raw);
      } else {
        literal = node.find_literal(percent_decode(raw, false));
      }
      if (literal != nullptr && (last ? arrive(*literal) : walk(*literal, after))) return true;
      if (node.integer && is_integer(raw) && with_value(raw, *node.integer, after, last))
        return true;
      if (node.text && !raw.empty() && with_value(raw, *node.text, after, last)) return true;
      return node.rest && with_value(path, *node.rest, {}, true);
    }
  };
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Status Router::add(Route route) {
  auto owned = std::make_unique<Route>(std::move(route));
  if (!owned->role) {
    return fail(Code::kInvalidArgument,
                "route " + std::string(method_name(owned->method)) + " " + owned->pattern +
                    ": it names no role; say who may call it, Role::kPublic for everyone");
  }
  TRY_ASSIGN(const std::vector<Segment> segments, parse_pattern(owned->pattern));
  Node* node = root_.get();
  Node::Leaf leaf{owned.get(), {}};
  for (const Segment& segment : segments) {
    node = &node->child(segment);
    if (segment.kind != SegmentKind::kLiteral) leaf.names.push_back(segment.name);
  }
  Node::Leaf& slot = node->leaves[static_cast<size_t>(owned->method)];
  if (slot.route != nullptr) {
    return fail(Code::kAlreadyExists, "route " + std::string(method_name(owned->method)) + " " +
                                          owned->pattern + ": taken by " + slot.route->pattern);
  }
  slot = std::move(leaf);
  routes_.push_back(std::move(owned));
  return {};
}

Router::Match Router::match(Method method, std::string_view path,
                            std::vector<std::pair<std::string_view, std::string>>& params) const {
  params.clear();
  Match match;
  if (path.empty() || path.front() != '/') return match;
  Node::Search search{method};
  if (search.walk(*root_, path.substr(1))) {
    match.route = search.found->route;
    match.path_exists = true;
    for (size_t i = 0; i < search.found->names.size(); ++i)
      params.emplace_back(search.found->names[i], percent_decode(search.values[i], false));
    return match;
  }
  for (size_t i = 0; i < kMethods; ++i) {
    if (!search.allowed[i]) continue;
    match.path_exists = true;
    const auto allowed = static_cast<Method>(i);
    match.allow += std::string(method_name(allowed)) + ", ";
    if (allowed == Method::kGet && !search.allowed[static_cast<size_t>(Method::kHead)])
      match.allow += "HEAD, ";
  }
  if (match.path_exists && !search.allowed[static_cast<size_t>(Method::kOptions)])
    match.allow += "OPTIONS, ";
  if (match.path_exists) match.allow.resize(match.allow.size() - 2);
  return match;
}

}  // namespace binnacle::net
