#include "base/config_yaml.h"

#include "base/check.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_set>

namespace binnacle {
namespace {

int line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : mark.line + 1; }

// Ends the parse from inside a callback; caught in read_yaml, never seen outside.
struct BoundBroken {
  int line;
  std::string message;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(ConfigProblems& problems) : problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::kNull, mark), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = make(YamlNode::Kind::kScalar, mark);
    node->quoted = tag == "!";  // yaml-cpp's tag for every style but the plain one
    node->text = value;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw BoundBroken{line_of(mark),
                        "alias refers to a value that is not complete yet: name it "
                        "with & before its use and outside itself"};
    }
    attach(found->second, line_of(mark));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kSequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { close(); }

  YamlNodePtr root() const { return root_; }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    // Of a map: the key read last, when its value is still to come.
    bool has_key = false;
    std::string key;
    int key_line = 0;
    std::unordered_set<std::string> seen;
  };

  static std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark) {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->line = line_of(mark);
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    require_depth(stack_.size() + 1, line_of(mark));
    Open level;
    level.node = make(kind, mark);
    level.anchor = anchor;
    stack_.push_back(std::move(level));
  }

  void close() {
    CHECK(!stack_.empty());
    Open done = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(std::shared_ptr<YamlNode> node, YAML::anchor_t anchor) {
    const int line = node->line;
    YamlNodePtr complete = std::move(node);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = complete;
    attach(std::move(complete), line);
  }

  void attach(YamlNodePtr node, int line) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = stack_.back();
    require_depth(stack_.size() + static_cast<size_t>(node->depth), line);
    if (parent.node->kind == YamlNode::Kind::kMap && !parent.has_key) {
      take_key(parent, *node, line);
      return;
    }
    count(parent, *node, line);
    if (parent.node->kind == YamlNode::Kind::kSequence) {
      parent.node->items.push_back(std::move(node));
      return;
    }
    parent.has_key = false;
    if (!parent.seen.insert(parent.key).second) {
      problems_.add(parent.key_line, "key stands twice in one map", parent.key, "keep one of them");
      return;
    }
    parent.node->entries.push_back({std::move(parent.key), parent.key_line, std::move(node)});
  }

  static void take_key(Open& parent, const YamlNode& node, int line) {
    if (node.kind != YamlNode::Kind::kScalar) {
      throw BoundBroken{
          line, fmt::format("key of a map is {}: write a name and a colon", kind_name(node.kind))};
    }
    parent.has_key = true;
    parent.key = node.text;
    parent.key_line = line;
  }

  static void count(Open& parent, const YamlNode& node, int line) {
    parent.node->nodes += node.nodes;
    parent.node->depth = std::max(parent.node->depth, node.depth + 1);
    if (parent.node->nodes > kMaxConfigNodes) {
      throw BoundBroken{line, fmt::format("more than {} values, those of aliases counted at each "
                                          "use: write a smaller file",
                                          kMaxConfigNodes)};
    }
  }

  static void require_depth(size_t depth, int line) {
    if (depth > kMaxConfigDepth) {
      throw BoundBroken{line,
                        fmt::format("nested deeper than {} levels: flatten it", kMaxConfigDepth)};
    }
  }

  ConfigProblems& problems_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, YamlNodePtr> anchors_;
  YamlNodePtr root_ = std::make_shared<YamlNode>();
};

void parse_document(std::string_view text, TreeBuilder& builder, ConfigProblems& problems) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  if (!parser.HandleNextDocument(builder)) return;
  TreeBuilder rest(problems);
  if (parser.HandleNextDocument(rest)) {
    problems.add(rest.root()->line, "second document in the file: remove the --- before it");
  }
}

}  // namespace

std::string_view kind_name(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a single value";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

YamlNodePtr read_yaml(std::string_view text, ConfigProblems& problems) {
  if (text.size() > kMaxConfigBytes) {
    problems.add(0, "file is too large", fmt::format("{} bytes", text.size()),
                 fmt::format("at most {} bytes are read; split or shorten it", kMaxConfigBytes));
    return std::make_shared<YamlNode>();
  }
  TreeBuilder builder(problems);
  try {
    parse_document(text, builder, problems);
    return builder.root();
  } catch (const BoundBroken& bound) {
    problems.add(bound.line, bound.message);
  } catch (const YAML::Exception& bad) {
    problems.add(line_of(bad.mark), "bad YAML", bad.msg, "check indentation, colons and quotes");
  }
  return std::make_shared<YamlNode>();
}

}  // namespace binnacle
